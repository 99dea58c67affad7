/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.sglangray.config.Config;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.config.launcher.RouterType;
import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.show.PlanExplainer;
import dev.sglangray.placement.strategy.ComponentPlacement;
import dev.sglangray.placement.strategy.FlexiblePlacementStrategy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FleetPlannerTest {
    private static PlanRequest.Builder request(Cluster cluster, int width, Integer... ranks) {
        return PlanRequest.builder(cluster)
                .server("Engines", "srt", width, Map.of("tp_size", width))
                .router("Router", Map.of("policy", "cache_aware"))
                .hardwareRanks(List.of(ranks));
    }

    @Test
    void packsEnginesAndPinsBundles() {
        FleetPlan plan = FleetPlanner.plan(
                request(Clusters.plain(4, 4), 2, 7, 6, 5, 4).routerNodeRank(1).build());
        assertThat(plan.engines()).extracting(EnginePlan::actorName).containsExactly("Engines:0", "Engines:1");
        assertThat(plan.engines()).extracting(engine -> engine.node().rank()).containsExactly(1, 1);
        assertThat(plan.engines().get(1).environment())
                .contains(
                        entry("CUDA_VISIBLE_DEVICES", "2,3"),
                        entry("MASTER_ADDR", "10.0.0.2"),
                        entry("WORLD_SIZE", "2"),
                        entry("RANK", "1"));
        assertThat(plan.bundles())
                .extracting(BundlePlan::resources)
                .containsExactly(
                        Map.of("GPU", 2.0, "node:10.0.0.2", 0.001),
                        Map.of("GPU", 2.0, "node:10.0.0.2", 0.001),
                        Map.of("node:10.0.0.2", 0.001));
        RouterPlan router = plan.router().orElseThrow();
        assertThat(router.bundleIndex()).isEqualTo(2);
        assertThat(router.environment())
                .contains(entry("CUDA_VISIBLE_DEVICES", ""), entry("LOCAL_ACCELERATOR_RANK", "-1"));
        assertThat(router.routerArgs()).containsExactly(entry("policy", "cache_aware"));
    }

    /** A map whose order changes from one JVM to the next gives plans that differ, and processes that start differently. */
    @Test
    void theOrderOfAnEnvironmentIsTheSameInEveryJvm() {
        FleetPlan plan =
                FleetPlanner.plan(request(Clusters.plain(4), 2, 0, 1, 2, 3).build());
        assertThat(plan.engines().get(1).environment().keySet())
                .containsSubsequence("GROUP_NAME", "MASTER_ADDR", "WORKER_NAME", "WORLD_SIZE", "RANK", "NODE_RANK");
        assertThat(plan.engines().get(1).atRank(0, 1).environment().keySet())
                .containsSubsequence("GROUP_NAME", "MASTER_ADDR", "WORKER_NAME", "WORLD_SIZE", "RANK", "NODE_RANK");
    }

    @Test
    void reservesCpusWhenAsked() {
        FleetPlan plan = FleetPlanner.plan(
                request(Clusters.plain(1), 1, 0).cpusPerActor(0.5).build());
        assertThat(plan.bundles())
                .allSatisfy(bundle -> assertThat(bundle.resources()).containsEntry("CPU", 0.5));
    }

    @Test
    void theRoutersTypeIsTheBlocks() {
        PlanRequest.Builder request = request(Clusters.plain(1), 1, 0);
        assertThat(FleetPlanner.plan(request.router("Router", Map.of()).build())
                        .router()
                        .orElseThrow()
                        .routerType())
                .isNull();
        FleetPlan chosen = FleetPlanner.plan(
                request.router("Router", RouterType.SMG, Map.of()).build());
        assertThat(chosen.router().orElseThrow().routerType()).isEqualTo("smg");
        assertThat(PlanExplainer.routerJson(chosen)).contains("\"router_type\" : \"smg\"");
        assertThat(PlanExplainer.router(chosen, Clusters.plain(1))).startsWith("router: actor Router:0 (smg)");
    }

    @Test
    void readsTheLaunchersBlock() {
        Config root = Config.parse("""
                cluster:
                  num_nodes: 2
                  component_placement:
                    rollout: {node_group: rollout_gpu, placement: all}
                  node_groups:
                    - label: rollout_gpu
                      node_ranks: 1
                      env_configs:
                        - node_ranks: 1
                          python_interpreter_path: /opt/py
                          env_vars: [{NCCL_DEBUG: INFO}, {RANK: overridden}]
                    - {label: test, node_ranks: 0}
                router_server_args:
                  model_path: /m
                  tensor_parallel_size: 2
                  pipeline_parallel_size: 2
                  group_name: E
                  launch_router: false
                  server: {model_path: "${..model_path}"}
                """);
        Cluster cluster = Cluster.of(dev.sglangray.config.cluster.ClusterConfig.from(root), Clusters.ranked(4, 4));
        ComponentPlacement placement = ComponentPlacement.of(root, cluster);
        FleetPlan plan = FleetPlanner.plan(PlanRequest.builder(cluster)
                .arguments(LauncherArgs.from(root.require("router_server_args")))
                .hardwareRanks(placement.getHardwareRanks("rollout"))
                .nodeGroups(placement.getNodeGroups("rollout"))
                .build());
        EnginePlan engine = plan.engines().get(0);
        assertThat(plan.engines()).hasSize(1);
        assertThat(plan.router()).isEmpty();
        assertThat(engine.node().rank()).isEqualTo(1);
        assertThat(engine.pythonInterpreter()).isEqualTo("/opt/py");
        assertThat(engine.serverArgs()).containsExactly(entry("model_path", "/m"));
        assertThat(engine.environment())
                .contains(entry("NCCL_DEBUG", "INFO"), entry("RANK", "0"), entry("NODE_GROUP_LABEL", "rollout_gpu"));
    }

    @Test
    void aStrategyIsUsedAsItIs() {
        FleetPlan plan = FleetPlanner.plan(PlanRequest.builder(Clusters.plain(4))
                .server("E", "srt", 1, Map.of())
                .strategy(new FlexiblePlacementStrategy(List.of(List.of(0, 2), List.of(3)), List.of()))
                .build());
        assertThat(plan.bundles())
                .extracting(bundle -> bundle.resources().get("GPU"))
                .containsExactly(2.0, 1.0);
        assertThat(plan.engines()).extracting(EnginePlan::accelerators).containsExactly(2, 1);
        assertThat(plan.warnings())
                .singleElement()
                .asString()
                .contains("1 of 2 engines another number of accelerators than the 1", "engine 0 gets 2");
    }

    @Test
    void enginesOfOneAcceleratorMayShareIt() {
        FleetPlan plan = FleetPlanner.plan(PlanRequest.builder(Clusters.plain(2))
                .server("E", "srt", 1, Map.of())
                .strategy(new FlexiblePlacementStrategy(
                        List.of(List.of(0), List.of(0), List.of(0), List.of(1)), List.of()))
                .build());
        assertThat(plan.bundles().subList(0, 3))
                .allSatisfy(bundle -> assertThat(bundle.resources().get("GPU")).isEqualTo(0.3333));
        assertThat(plan.bundles().get(3).resources()).containsEntry("GPU", 1.0);
        assertThatThrownBy(() -> FleetPlanner.plan(PlanRequest.builder(Clusters.plain(2))
                        .server("E", "srt", 1, Map.of())
                        .strategy(new FlexiblePlacementStrategy(List.of(List.of(0, 1), List.of(1)), List.of()))
                        .build()))
                .hasMessageContaining("accelerator 1 of node rank 0 is given to 2 engines");
    }

    @Test
    void customAcceleratorsAreReservedByTheirOwnNames() {
        ClusterSnapshot snapshot = new ClusterSnapshot(
                List.of(NodeSnapshot.of("n", "10.0.0.1", 2, AcceleratorType.NPU, "910B", null)), "n");
        FleetPlan plan = FleetPlanner.plan(
                request(Cluster.of(1, List.of(), snapshot), 2, 0, 1).build());
        assertThat(plan.bundles().get(0).resources()).containsEntry("NPU", 2.0);
        assertThat(plan.engines().get(0).environment()).containsEntry("ASCEND_RT_VISIBLE_DEVICES", "0,1");
        assertThat(AcceleratorType.INTEL_GPU.environment(List.of("0", "1")))
                .containsEntry("ONEAPI_DEVICE_SELECTOR", "level_zero:0,1");
        assertThat(AcceleratorType.INTEL_GPU.environment(List.of())).containsEntry("ONEAPI_DEVICE_SELECTOR", "");
    }

    @Test
    void refusesBeforeAnythingStarts() {
        Cluster cluster = Clusters.plain(2, 2);
        assertRefused(request(cluster, 1, 0, 2), "contiguous", "0,2 has a gap");
        assertRefused(request(cluster, 1, 0, 0, 1), "contiguous", "names one twice");
        assertRefused(request(cluster, 1), "empty");
        assertRefused(request(cluster, 3, 0, 1), "do not divide");
        assertRefused(request(cluster, 1, 3, 4, 5), "Engines", "only ranks 0 to 3", "2 x NV_GPU:H100");
        assertRefused(request(cluster, 4, 0, 1, 2, 3), "cannot spread over nodes");
        assertRefused(request(cluster, 1, 0).routerNodeRank(2), "Router", "ranks 0 to 1");
        assertRefused(request(cluster, 1, 0).nodeGroups(List.of("nope")), "\"nope\"", "cluster (Accelerator: 4");
        assertRefused(request(cluster, 1, 0).router("Engines", Map.of()), "\"Engines:0\"");
        assertRefused(request(cluster, 1, 0).router(" ", Map.of()), "empty");
        assertRefused(request(Clusters.plain(0, 0), 1, 0), "ray start --num-gpus=N");
        assertRefused(PlanRequest.builder(cluster).server("E", "srt", 1, Map.of()), "hardware ranks are needed");
    }

    private static void assertRefused(PlanRequest.Builder request, String... parts) {
        assertThatThrownBy(() -> FleetPlanner.plan(request.build()))
                .isInstanceOf(PlacementException.class)
                .hasMessageContainingAll(parts);
    }

    @Test
    void aPlanOfNothingIsEmpty() {
        FleetPlan plan =
                FleetPlanner.plan(PlanRequest.builder(Clusters.plain(1)).build());
        assertThat(plan.bundles()).isEmpty();
        assertThat(plan.engines()).isEmpty();
        assertThat(plan.router()).isEmpty();
    }
}
