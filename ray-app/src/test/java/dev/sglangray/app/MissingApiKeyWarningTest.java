/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MissingApiKeyWarningTest {
    private static final Map<String, Object> KEY = Map.of("api_key", "k");

    private static FleetPlan plan(String ip, Map<String, Object> server, Map<String, Object> router) {
        ClusterSnapshot snapshot =
                new ClusterSnapshot(List.of(NodeSnapshot.of("n0", ip, 1, AcceleratorType.NV_GPU, "H100", null)), "n0");
        Config root = Config.parse("cluster: {num_nodes: 1, component_placement: {rollout: all}}");
        return FleetPlanner.plan(PlanRequest.builder(Cluster.of(ClusterConfig.from(root), snapshot))
                .server("E", "srt", 1, server)
                .router("R", router)
                .hardwareRanks(List.of(0))
                .build());
    }

    @Test
    void whoAsksForNoKeyIsNamed() {
        assertThat(MissingApiKeyWarning.warning(plan("10.0.0.1", Map.of(), Map.of())))
                .hasValueSatisfying(text -> assertThat(text).startsWith("engines and router will answer"));
        assertThat(MissingApiKeyWarning.warning(plan("10.0.0.1", KEY, Map.of())))
                .hasValueSatisfying(text -> assertThat(text).startsWith("router will answer"));
    }

    @Test
    void keysAndLoopbackAreSilent() {
        assertThat(MissingApiKeyWarning.warning(plan("10.0.0.1", KEY, KEY))).isEmpty();
        assertThat(MissingApiKeyWarning.warning(plan("127.0.0.1", Map.of(), Map.of())))
                .isEmpty();
    }
}
