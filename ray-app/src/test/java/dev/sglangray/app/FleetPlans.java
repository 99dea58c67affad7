/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.AcceleratorType;
import dev.sglangray.placement.Cluster;
import dev.sglangray.placement.ClusterSnapshot;
import dev.sglangray.placement.EnginePlan;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.FleetPlanner;
import dev.sglangray.placement.GroupPlan;
import dev.sglangray.placement.GroupStrategy;
import dev.sglangray.placement.NodeSnapshot;
import dev.sglangray.placement.PlanRequest;
import dev.sglangray.placement.ray.FleetReservation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Plans and reservations without a cluster. */
final class FleetPlans {
    private FleetPlans() {}

    /** Engines of one accelerator each, on nodes of one: engine 0 on 10.0.0.1, and so on. */
    static List<EnginePlan> engines(int count) {
        List<NodeSnapshot> nodes = IntStream.range(0, count)
                .mapToObj(i -> NodeSnapshot.of("id" + i, "10.0.0." + (i + 1), 1, AcceleratorType.NV_GPU, "H100", i))
                .toList();
        Cluster cluster = Cluster.of(count, List.of(), new ClusterSnapshot(nodes, "id0"));
        return FleetPlanner.plan(PlanRequest.builder(cluster)
                        .server("E", "srt", 1, Map.of())
                        .hardwareRanks(IntStream.range(0, count).boxed().toList())
                        .build())
                .engines();
    }

    /** One that reserves nothing. */
    static FleetReservation reservation() {
        return FleetReservation.reserve(
                new FleetPlan(
                        "fleet", new GroupPlan.Own("fleet", GroupStrategy.PACK), List.of(), null, List.of(), List.of()),
                Duration.ofSeconds(1),
                message -> {});
    }
}
