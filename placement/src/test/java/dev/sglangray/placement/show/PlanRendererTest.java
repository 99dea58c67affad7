/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.show;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.strategy.FlexiblePlacementStrategy;
import dev.sglangray.placement.strategy.NodePlacementStrategy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlanRendererTest {
    private static final Cluster CLUSTER = Clusters.configured("""
            cluster:
              num_nodes: 2
              component_placement: {}
              node_groups: [{label: gpu, node_ranks: 1}]
            """, 0, 4);

    private static final FleetPlan QUIET = FleetPlanner.plan(PlanRequest.builder(CLUSTER)
            .fleetName("demo")
            .server("E", "srt", 2, Map.of("api_key", "sesame", "max_total_tokens", 5, "nested", Map.of("token", "t")))
            .router("R", Map.of())
            .hardwareRanks(List.of(0, 1, 2, 3))
            .nodeGroups(List.of("gpu"))
            .build());

    private static final FleetPlan PLAN = new FleetPlan(
            QUIET.fleetName(),
            QUIET.group(),
            QUIET.engines(),
            QUIET.router().orElseThrow(),
            QUIET.bundles(),
            List.of("look out"));

    @Test
    void showsWhoSitsWhere() {
        assertThat(PlanRenderer.text(PLAN, CLUSTER)).isEqualTo("""
                        fleet demo: 2 engines, a router on node 0
                        warning: look out

                        NODE  ADDRESS   ACCELERATORS     GROUPS
                        0     10.0.0.1  no accelerator   -
                        1     10.0.0.2  4 x NV_GPU:H100  gpu

                        NODE  ENGINES (one cell per accelerator, . is free)
                        0     router
                        1     [0 0|1 1]

                        ACTOR  KIND    NODE  GROUP    BUNDLE  RESERVES
                        R:0    router  0     cluster  2       nothing
                        E:0    srt     1     gpu      0       GPU 2
                        E:1    srt     1     gpu      1       GPU 2
                        """);
    }

    @Test
    void theJsonIsWholeAndHidesSecrets() throws Exception {
        String text = PlanRenderer.json(PLAN, CLUSTER);
        JsonNode json = new ObjectMapper().readTree(text);
        assertThat(json.path("engines")).hasSize(2);
        assertThat(json.at("/engines/1/accelerators").toString()).isEqualTo("[2,3]");
        assertThat(json.at("/engines/0/server_args/max_total_tokens").asInt()).isEqualTo(5);
        assertThat(json.at("/engines/0/environment/CUDA_VISIBLE_DEVICES").asText())
                .isEqualTo("0,1");
        assertThat(json.at("/router/bundle").asInt()).isEqualTo(2);
        assertThat(json.at("/bundles/0/resources/GPU").asDouble()).isEqualTo(2.0);
        assertThat(text).doesNotContain("sesame").doesNotContain("\"t\"").contains("<hidden>");
    }

    @Test
    void longTablesAreCut() {
        Cluster cluster = Clusters.plain(new int[500]);
        String text =
                PlanRenderer.text(FleetPlanner.plan(PlanRequest.builder(cluster).build()), cluster);
        assertThat(text).contains("... and 301 more nodes").hasLineCount(203);
    }

    @Test
    void drawsFreeSharedAndOtherSeats() {
        FleetPlan plan = FleetPlanner.plan(PlanRequest.builder(CLUSTER)
                .server("E", "srt", 1, Map.of())
                .strategy(new FlexiblePlacementStrategy(List.of(List.of(0), List.of(0), List.of(2)), List.of()))
                .build());
        assertThat(PlanRenderer.text(plan, CLUSTER)).contains("1     [0+1|.|2|.]\n", "0     -\n");
        Cluster plain = Clusters.plain(0, 2);
        FleetPlan onNodes = FleetPlanner.plan(PlanRequest.builder(plain)
                .server("E", "srt", 1, Map.of())
                .strategy(new NodePlacementStrategy(List.of(0, 1, 1), List.of("node")))
                .build());
        assertThat(PlanRenderer.text(onNodes, plain)).contains("0     #0\n", "1     [. .] #1 #2\n");
    }
}
