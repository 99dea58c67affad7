/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.show;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlanExplainerTest {
    private static final Cluster CLUSTER = Clusters.configured("""
            cluster:
              num_nodes: 3
              component_placement: {}
              node_groups:
                - label: gpu
                  node_ranks: 1-2
                  env_configs: [{node_ranks: 2, env_vars: [{NCCL_DEBUG: INFO}], python_interpreter_path: /opt/py}]
            """, 1, 4, 4);

    private static final FleetPlan PLAN = FleetPlanner.plan(PlanRequest.builder(CLUSTER)
            .fleetName("demo")
            .server("E", "srt", 2, Map.of("api_key", "sesame", "tp_size", 2))
            .router("R", Map.of("policy", "random"))
            .hardwareRanks(List.of(4, 5, 6, 7))
            .nodeGroups(List.of("gpu"))
            .build());

    @Test
    void saysWhereAnEngineGoesAndWhy() {
        assertThat(PlanExplainer.engine(PLAN, CLUSTER, 1))
                .startsWith("""
                        engine 1 of 2: actor E:1, server type srt
                          node: rank 2, 10.0.0.3, 4 x NV_GPU:H100; it was started with its rank
                          node group: gpu (Accelerator: 8, on node ranks 1-2)
                          hardware: Accelerator 2-3 of the node, ranks 6-7 of 0 to 7 in node group "gpu"
                          on its node: process 1 of 2, counted from 0
                          bundle: 1 of placement group "demo", holds GPU 2, pinned to 10.0.0.3; the actor takes GPU 2
                          python: /opt/py
                          server_args:
                        """)
                .contains("api_key: <hidden>", "tp_size: 2", "NCCL_DEBUG=INFO  (node group)", "RANK=1\n")
                .doesNotContain("sesame");
        assertThat(PlanExplainer.engineJson(PLAN, 1))
                .contains("\"actor\" : \"E:1\"")
                .doesNotContain("sesame");
    }

    @Test
    void explainsTheRouter() {
        assertThat(PlanExplainer.router(PLAN, CLUSTER))
                .contains("router: actor R:0", "node: rank 0, 10.0.0.1", "policy: random", "the actor takes nothing");
        assertThat(PlanExplainer.routerJson(PLAN)).contains("\"actor\" : \"R:0\"");
    }

    @Test
    void refusesWhatIsNotThere() {
        assertThatThrownBy(() -> PlanExplainer.engine(PLAN, CLUSTER, 2))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("there is no engine 2; ranks run from 0 to 1");
        FleetPlan nothing = FleetPlanner.plan(PlanRequest.builder(CLUSTER).build());
        assertThatThrownBy(() -> PlanExplainer.engine(nothing, CLUSTER, 0)).hasMessageContaining("no engines");
        assertThatThrownBy(() -> PlanExplainer.router(nothing, CLUSTER)).hasMessageContaining("no router");
    }
}
