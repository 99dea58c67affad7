/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeInfo;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RunningFleetPlanTest {
    @Test
    void aFleetIsPlannedAsItWasFromWhereItIs() {
        Cluster cluster = Clusters.plain(2, 2);
        PlanRequest request = PlanRequest.builder(cluster)
                .server("Engines", "srt", 1, Map.of("tp_size", 1))
                .router("Router", Map.of("policy", "random"))
                .hardwareRanks(List.of(0, 1, 2, 3))
                .build();
        FleetPlan plan = FleetPlanner.plan(request);
        FleetPlan recalled = RunningFleetPlan.plan(
                request,
                cluster,
                plan.engines().stream()
                        .map(engine -> new RunningFleetPlan.Engine(
                                engine.pool(),
                                engine.parts().stream()
                                        .map(part -> new RunningFleetPlan.Seat(part.placement(), part.bundleIndex()))
                                        .toList()))
                        .toList(),
                4,
                plan.engines().get(0).environment().getOrDefault("MASTER_ADDR", ""),
                plan.router().orElseThrow().bundleIndex(),
                plan.bundles());
        assertThat(recalled.engines()).isEqualTo(plan.engines());
        assertThat(recalled.router()).isEqualTo(plan.router());
        assertThat(recalled.group()).isEqualTo(plan.group());
        assertThat(recalled.bundles()).isEqualTo(plan.bundles());
    }

    @Test
    void aKnownClusterHasItsRanks() {
        ClusterSnapshot now = Clusters.ranked(1, 1, 1);
        Cluster cluster = Clusters.plain(1, 1)
                .widened(new ClusterSnapshot(
                        List.of(now.nodes().get(2), now.nodes().get(0)), "id0"));
        Cluster known = Cluster.known(
                ClusterConfig.from(
                        Config.parse("cluster: {num_nodes: 2, component_placement: {rollout: all}}", Map.of())),
                cluster.nodes().stream().map(NodeInfo::snapshot).toList(),
                cluster.launched());
        assertThat(known.nodes()).isEqualTo(cluster.nodes());
        assertThat(known.launched()).isEqualTo(2);
    }
}
