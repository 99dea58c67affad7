/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.GroupPlan;
import dev.sglangray.placement.plan.GroupStrategy;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.placement.ray.GroupCreator;
import dev.sglangray.placement.ray.ResourceLedger;
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
                message -> {},
                ResourceLedger.PUBLIC,
                GroupCreator.OF_THIS_PROCESS,
                () -> false);
    }
}
