/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.workers.FleetControl;
import dev.sglangray.workers.protocol.InFlight;
import dev.sglangray.workers.protocol.WeightUpdate;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What Python may ask of engines and router together: weights, and how many engines there are. These block. Stateless. */
final class FleetOperations {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration JOIN = Duration.ofMinutes(5);
    private static final Duration PIECE = Duration.ofSeconds(30);
    /** The owner's JVM is small, and has all of them at once. */
    static final long MOST_BYTES = 16 << 20;

    private FleetOperations() {}

    static Map<String, Operation> of(FleetOwner owner) {
        return Map.of(
                "scale",
                Operation.blocking(arguments -> List.of(owner.scale(
                        arguments.integer("engines", 0), arguments.seconds("drain_timeout", ServerOperations.DRAIN)))),
                "update_weights",
                Operation.blocking(arguments -> List.of(control(owner).updateWeights(update(arguments)))),
                "init_weights_group",
                Operation.blocking(arguments -> {
                    control(owner)
                            .initWeightsGroup(
                                    arguments.text("master_address"),
                                    arguments.integer("master_port", 0),
                                    arguments.integer("first_rank", 1),
                                    arguments.integer("world_size", 0),
                                    arguments.text("group_name"),
                                    arguments.text("backend"),
                                    arguments.seconds("timeout", JOIN));
                    return List.of(true);
                }),
                "destroy_weights_group",
                Operation.blocking(arguments -> {
                    control(owner)
                            .destroyWeightsGroup(arguments.text("group_name"), arguments.seconds("timeout", JOIN));
                    return List.of(true);
                }));
    }

    private static FleetControl control(FleetOwner owner) {
        return FleetControl.of(owner.servers().orElseThrow(), owner.router().orElse(null));
    }

    private static WeightUpdate update(Arguments arguments) {
        return new WeightUpdate(
                arguments.text("version"),
                arguments.word("source", WeightUpdate.Kind.class, WeightUpdate.Kind.DISK),
                arguments.optionalText("path").orElse(null),
                arguments.optionalText("load_format").orElse(null),
                buckets(arguments),
                arguments.word("in_flight", InFlight.class, InFlight.DRAIN),
                arguments.flag("rolling", false),
                arguments.seconds("timeout", WeightUpdate.DEFAULT_TIMEOUT).toMillis() / 1000.0);
    }

    private static List<Map<String, Object>> buckets(Arguments arguments) {
        Optional<BucketShelf.Reference> reference = arguments.record("buckets", BucketShelf.Reference.class);
        if (reference.isEmpty()) {
            return List.of();
        }
        long total = reference.get().total();
        if (total > MOST_BYTES) {
            throw new IllegalArgumentException(
                    "the buckets of one update have " + MOST_BYTES + " bytes together at most, not " + total
                            + "; larger weights go by a process group or by a folder");
        }
        try {
            BucketShelf shelf = BucketShelf.find(reference.get());
            List<Map<String, Object>> buckets = new ArrayList<>();
            for (int i = 0; i < reference.get().sizes().size(); i++) {
                try (InputStream body = shelf.open(i, PIECE)) {
                    buckets.add(JSON.readValue(body, new TypeReference<Map<String, Object>>() {}));
                }
            }
            return buckets;
        } catch (IOException e) {
            throw new IllegalArgumentException("nothing was updated: " + e.getMessage(), e);
        }
    }
}
