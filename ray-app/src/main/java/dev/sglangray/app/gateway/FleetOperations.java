/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.app.monitor.TrainerReports;
import dev.sglangray.app.monitor.TrainerStep;
import dev.sglangray.workers.FleetControl;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.protocol.BucketReference;
import dev.sglangray.workers.protocol.InFlightPolicy;
import dev.sglangray.workers.protocol.WeightUpdate;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What Python may ask of engines and router together: weights, and how many engines there are. These block. Stateless. */
final class FleetOperations {
    private static final Duration JOIN = Duration.ofMinutes(5);

    private FleetOperations() {}

    static Map<String, GatewayMethod> of(EngineAccess engines, @Nullable RouterGroup router, TrainerReports reports) {
        return Map.of(
                "scale",
                GatewayMethod.blocking(arguments -> List.of(engines.scale(
                        arguments.optionalText("pool").orElse(""),
                        arguments.integer("engines", 0),
                        arguments.seconds("drain_timeout", ServerOperations.DRAIN)))),
                "update_weights",
                GatewayMethod.blocking(
                        arguments -> List.of(control(engines, router).updateWeights(update(arguments)))),
                "report",
                arguments -> {
                    reports.take(new TrainerStep(arguments.integer("step", -1), numbers(arguments.map("values"))));
                    return CompletableFuture.completedFuture(List.of(true));
                },
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

    private static Map<String, Double> numbers(Map<String, Object> values) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        values.forEach((name, value) -> {
            if (!(value instanceof Number number)) {
                throw new IllegalArgumentException(
                        "the argument 'values' must be a map of numbers, and '" + name + "' is " + value);
            }
            numbers.put(name, number.doubleValue());
        });
        return numbers;
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
