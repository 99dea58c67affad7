/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.ray.FreeCapacity;
import dev.sglangray.placement.ray.LedgerSnapshot;
import dev.sglangray.placement.show.PlanExplainer;
import dev.sglangray.placement.show.PlanRenderer;
import dev.sglangray.placement.strategy.FlexiblePlacementStrategy;
import dev.sglangray.placement.strategy.NodePlacementStrategy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Engines that span nodes. */
class SpanningPlanTest {
    private static final int SEEDS = 2000;

    private static ClusterSnapshot nodes(int... gpus) {
        List<NodeSnapshot> nodes = new ArrayList<>();
        for (int i = 0; i < gpus.length; i++) {
            String ip = "10.0.%d.%d".formatted(i / 250, i % 250 + 1);
            nodes.add(new NodeSnapshot(
                    "id" + i,
                    ip,
                    "",
                    Map.of(),
                    gpus[i] == 0 ? Map.of("node:" + ip, 1.0) : Map.of("GPU", (double) gpus[i], "node:" + ip, 1.0),
                    gpus[i],
                    gpus[i] == 0 ? AcceleratorType.NO_ACCEL : AcceleratorType.NV_GPU,
                    gpus[i] == 0 ? "" : "H100",
                    i));
        }
        return new ClusterSnapshot(nodes, "id0");
    }

    private static PlanRequest.Builder request(Cluster cluster, int width, int first, int last) {
        return PlanRequest.builder(cluster)
                .server("E", "srt", width, Map.of("tp_size", width))
                .router("R", Map.of())
                .acrossNodes()
                .hardwareRanks(IntStream.rangeClosed(first, last).boxed().toList());
    }

    private static Cluster cluster(int... gpus) {
        return Cluster.of(gpus.length, List.of(), nodes(gpus));
    }

    @Test
    void anEngineWiderThanANodeHasEqualPartsOnSeveral() {
        Cluster cluster = cluster(2, 2, 2, 2);
        FleetPlan plan = FleetPlanner.plan(request(cluster, 4, 0, 7).build());
        assertThat(plan.engines()).hasSize(2);
        EnginePlan second = plan.engines().get(1);
        assertThat(second.nodeIps()).containsExactly("10.0.0.3", "10.0.0.4");
        assertThat(second.accelerators()).isEqualTo(4);
        assertThat(second.actorName(1)).isEqualTo("E:1/1");
        assertThat(second.parts()).extracting(EnginePart::bundleIndex).containsExactly(2, 3);
        assertThat(second.parts().get(1).environment())
                .containsEntry("CUDA_VISIBLE_DEVICES", "0,1")
                .containsEntry("RANK", "1")
                .containsEntry("WORLD_SIZE", "2");
        assertThat(plan.warnings()).isEmpty();
        assertThat(plan.engineActors()).containsEntry(3, "E:1/1");
        assertThat(PlanRenderer.text(plan, cluster)).contains("E:1/1", "part of E:1", "[1 1]");
        assertThat(PlanExplainer.engine(plan, cluster, 1))
                .contains(
                        "it spans 2 nodes: it needs 4 accelerators, and each node has 2 for it", "part 1 of engine 1");
        assertThat(PlanRenderer.json(plan, cluster)).contains("\"actor\" : \"E:1/1\"");
    }

    @Test
    void withoutLeaveToSpanItIsRefusedAsByRlinf() {
        Cluster cluster = cluster(2, 2);
        PlanRequest request = PlanRequest.builder(cluster)
                .server("E", "srt", 4, Map.of())
                .hardwareRanks(List.of(0, 1, 2, 3))
                .build();
        assertThatThrownBy(() -> FleetPlanner.plan(request)).hasMessageContaining("cannot spread over nodes");
    }

    @Test
    void anEngineThatFitsANodeIsNotSpread() {
        assertThatThrownBy(
                        () -> FleetPlanner.plan(request(cluster(4, 4), 4, 2, 5).build()))
                .hasMessageContaining("cannot spread over nodes");
    }

    @Test
    void unequalPartsAreRefused() {
        assertThatThrownBy(
                        () -> FleetPlanner.plan(request(cluster(2, 4), 6, 0, 5).build()))
                .hasMessageContaining("equally many pieces of one kind on each");
        assertThat(FleetPlanner.plan(request(cluster(4, 4), 6, 1, 6).build()).engines())
                .singleElement()
                .satisfies(engine -> assertThat(engine.parts())
                        .extracting(part -> part.placement().localHardwareRanks())
                        .containsExactly(List.of(1, 2, 3), List.of(0, 1, 2)));
    }

    @Test
    void aStrategyNamesTheRanksOfEachEngine() {
        Cluster cluster = cluster(2, 2, 2);
        PlanRequest request = PlanRequest.builder(cluster)
                .server("E", "srt", 2, Map.of())
                .acrossNodes()
                .strategy(new FlexiblePlacementStrategy(List.of(List.of(0, 2), List.of(4, 5)), List.of()))
                .build();
        FleetPlan plan = FleetPlanner.plan(request);
        assertThat(plan.engines())
                .extracting(EnginePlan::nodeIps)
                .containsExactly(List.of("10.0.0.1", "10.0.0.2"), List.of("10.0.0.3"));
    }

    @Test
    void nnodesMustBeWhatThePlacementGives() {
        Cluster cluster = cluster(2, 2);
        PlanRequest.Builder wrong = PlanRequest.builder(cluster)
                .server("E", "srt", 2, Map.of("nnodes", 2))
                .acrossNodes()
                .hardwareRanks(List.of(0, 1));
        assertThatThrownBy(() -> FleetPlanner.plan(wrong.build()))
                .hasMessageContaining("is to span 2 nodes (nnodes: 2), but its hardware is on 1");
    }

    @Test
    void onNodesWithoutAcceleratorsNnodesSaysHowManyAnEngineHas() {
        Cluster cluster = cluster(0, 0, 0, 0);
        PlanRequest.Builder request = PlanRequest.builder(cluster)
                .server("E", "srt", 2, Map.of("nnodes", 2))
                .acrossNodes()
                .strategy(new NodePlacementStrategy(List.of(0, 1, 2, 3), List.of()));
        assertThat(FleetPlanner.plan(request.build()).engines())
                .extracting(EnginePlan::nodeIps)
                .containsExactly(List.of("10.0.0.1", "10.0.0.2"), List.of("10.0.0.3", "10.0.0.4"));
        request.strategy(new NodePlacementStrategy(List.of(0, 0), List.of()));
        assertThatThrownBy(() -> FleetPlanner.plan(request.build()))
                .hasMessageContaining("is to span 2 nodes (nnodes: 2), but is given 1");
    }

    @Test
    void bundlesOfAnExistingGroupAreNamedPartAfterPart() {
        Cluster cluster = cluster(1, 1, 1, 1);
        List<ExistingGroup.Bundle> bundles = IntStream.of(3, 2, 1, 0)
                .mapToObj(node -> new ExistingGroup.Bundle("id" + node, Map.of("GPU", 1.0)))
                .toList();
        ExistingGroup group = new ExistingGroup("theirs", null, bundles);
        GroupSettings settings = new GroupSettings(
                GroupStrategy.PACK,
                GroupSettings.DEFAULT.acceleratorIds(),
                1,
                Map.of(),
                Map.of(),
                "theirs",
                null,
                List.of(1, 0, 3, 2),
                0);
        PlanRequest request = PlanRequest.builder(cluster)
                .server("E", "srt", 2, Map.of())
                .acrossNodes()
                .hardwareRanks(List.of(0, 1, 2, 3))
                .groupSettings(settings)
                .existingGroup(group)
                .build();
        FleetPlan plan = FleetPlanner.plan(request);
        assertThat(plan.engines())
                .extracting(EnginePlan::nodeIps)
                .containsExactly(List.of("10.0.0.3", "10.0.0.4"), List.of("10.0.0.1", "10.0.0.2"));
        assertThat(plan.engines().get(0).parts())
                .extracting(EnginePart::bundleIndex)
                .containsExactly(1, 0);
    }

    @Test
    void furtherEnginesSpanAsManyNodes() {
        ClusterSnapshot now = nodes(2, 2, 2, 2, 2);
        Cluster cluster = Cluster.of(5, List.of(), now);
        PlanRequest request = request(cluster, 4, 0, 3).build();
        FleetPlan plan = FleetPlanner.plan(request);
        FleetGrowth growth = new FleetGrowth(
                request,
                cluster,
                new FreeCapacity(now, new LedgerSnapshot(List.of(), List.of())),
                plan.engines().get(0),
                plan.engines(),
                plan.router().orElse(null));
        FleetPlan more = growth.plan(List.of(1), 2, "more");
        assertThat(more.engines())
                .singleElement()
                .satisfies(engine -> assertThat(engine.nodeIps()).containsExactly("10.0.0.3", "10.0.0.4"));
        assertThat(more.bundles()).hasSize(2);
        assertThatThrownBy(() -> growth.plan(List.of(2), 3, "more"))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("each needs 2 nodes with 2 pieces of hardware each");
    }

    @Test
    void everyPlanGivesEachAcceleratorOnceInEqualPartsOnAsFewNodesAsPossible() {
        int spanning = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            spanning += holds(new Random(seed)) ? 1 : 0;
        }
        assertThat(spanning).as("seeds whose engines span nodes").isGreaterThan(SEEDS / 8);
    }

    private static boolean holds(Random random) {
        int perNode = 1 << random.nextInt(4);
        int[] gpus =
                IntStream.range(0, 1 + random.nextInt(12)).map(i -> perNode).toArray();
        if (random.nextInt(4) == 0) {
            gpus[random.nextInt(gpus.length)] = 1 + random.nextInt(8);
        }
        Cluster cluster = cluster(gpus);
        int total = IntStream.of(gpus).sum();
        int width = Math.min(total, 1 << random.nextInt(6));
        int first = random.nextInt(4) == 0 ? random.nextInt(total) : 0;
        int count = (total - first) / width;
        if (count == 0) {
            return false;
        }
        FleetPlan plan;
        try {
            plan = FleetPlanner.plan(
                    request(cluster, width, first, first + count * width - 1).build());
        } catch (PlacementException refusal) {
            assertThat(refusal.getMessage()).isNotBlank();
            return false;
        }
        Set<String> given = new HashSet<>();
        for (EnginePlan engine : plan.engines()) {
            int share = width / engine.parts().size();
            assertThat(engine.nodeIps()).doesNotHaveDuplicates();
            for (EnginePart part : engine.parts()) {
                Placement placement = part.placement();
                assertThat(placement.rank()).isEqualTo(engine.rank());
                List<Integer> local = placement.localHardwareRanks();
                assertThat(local).hasSize(share);
                assertThat(local.get(share - 1) - local.get(0)).as("contiguous").isEqualTo(share - 1);
                local.forEach(piece ->
                        assertThat(given.add(part.node().ip() + "/" + piece)).isTrue());
                assertThat(plan.bundles().get(part.bundleIndex()).nodeIp())
                        .isEqualTo(part.node().ip());
                assertThat(plan.bundles().get(part.bundleIndex()).resources()).containsEntry("GPU", (double) share);
            }
            if (engine.spansNodes()) {
                assertThat(width)
                        .as("else it would fit")
                        .isGreaterThan(engine.node().accelerators());
            }
        }
        assertThat(given).hasSize(count * width);
        return plan.engines().stream().anyMatch(EnginePlan::spansNodes);
    }

    @Test
    void aHundredThousandAcceleratorsInEnginesOfSixtyFour() {
        int nodes = 12_500;
        Cluster cluster = cluster(IntStream.range(0, nodes).map(i -> 8).toArray());
        FleetPlan plan =
                FleetPlanner.plan(request(cluster, 64, 0, nodes / 8 * 64 - 1).build());
        assertThat(plan.engines())
                .hasSize(nodes / 8)
                .allMatch(engine -> engine.parts().size() == 8);
        assertThat(plan.bundles()).hasSize(nodes / 8 * 8 + 1);
    }
}
