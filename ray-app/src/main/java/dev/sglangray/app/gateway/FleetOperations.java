/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.workers.FleetControl;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.protocol.BucketReference;
import dev.sglangray.workers.protocol.InFlightPolicy;
import dev.sglangray.workers.protocol.WeightUpdate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What Python may ask of engines and router together: weights, and how many engines there are. These block. Stateless. */
final class FleetOperations {
    private static final Duration JOIN = Duration.ofMinutes(5);

    private FleetOperations() {}

    static Map<String, GatewayMethod> of(EngineAccess engines, @Nullable RouterGroup router) {
        return Map.of(
                "scale",
                GatewayMethod.blocking(arguments -> List.of(engines.scale(
                        arguments.optionalText("pool").orElse(""),
                        arguments.integer("engines", 0),
                        arguments.seconds("drain_timeout", ServerOperations.DRAIN)))),
                "update_weights",
                GatewayMethod.blocking(
                        arguments -> List.of(control(engines, router).updateWeights(update(arguments)))),
                "init_weights_group",
                GatewayMethod.blocking(arguments -> {
                    control(engines, router)
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
                GatewayMethod.blocking(arguments -> {
                    control(engines, router)
                            .destroyWeightsGroup(arguments.text("group_name"), arguments.seconds("timeout", JOIN));
                    return List.of(true);
                }));
    }

    private static FleetControl control(EngineAccess engines, @Nullable RouterGroup router) {
        return FleetControl.of(engines.servers(), router);
    }

    private static WeightUpdate update(GatewayArguments arguments) {
        return new WeightUpdate(
                arguments.text("version"),
                arguments.word("source", WeightUpdate.Kind.class, WeightUpdate.Kind.DISK),
                arguments.optionalText("path").orElse(null),
                arguments.optionalText("load_format").orElse(null),
                List.of(),
                arguments.record("buckets", BucketReference.class).orElse(null),
                arguments.word("in_flight", InFlightPolicy.class, InFlightPolicy.DRAIN),
                arguments.flag("rolling", false),
                arguments.seconds("timeout", WeightUpdate.DEFAULT_TIMEOUT).toMillis() / 1000.0);
    }
}
