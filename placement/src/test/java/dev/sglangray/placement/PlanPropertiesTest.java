/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeGroupDefinition;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.NodeSelector;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.rank.RankMap;
import dev.sglangray.placement.strategy.FlexiblePlacementStrategy;
import dev.sglangray.placement.strategy.HardwareRankResolver;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What holds for every plan, on clusters and requests made from a seed. */
class PlanPropertiesTest {
    private static final int SEEDS = 400;

    private record Draw(ClusterSnapshot snapshot, List<NodeGroupDefinition> groups, List<String> labels) {}

    private static Draw draw(Random random) {
        int size = 1 + random.nextInt(6);
        boolean ranked = random.nextBoolean();
        List<Integer> ranks = new ArrayList<>(IntStream.range(0, size).boxed().toList());
        Collections.shuffle(ranks, random);
        List<NodeSnapshot> nodes = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            nodes.add(Clusters.node(i, random.nextInt(5), ranked ? ranks.get(i) : null));
        }
        List<NodeGroupDefinition> groups = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        if (ranked) {
            int cut = random.nextInt(size + 1);
            addGroup("low", new TreeSet<>(ranks).headSet(cut), groups, labels);
            addGroup("high", new TreeSet<>(ranks).tailSet(cut), groups, labels);
        }
        if (random.nextBoolean()) {
            Collections.reverse(labels);
        }
        return new Draw(
                new ClusterSnapshot(nodes, "id" + random.nextInt(size)),
                groups,
                random.nextBoolean() ? labels : List.of());
    }

    private static void addGroup(
            String label, Set<Integer> ranks, List<NodeGroupDefinition> groups, List<String> labels) {
        if (!ranks.isEmpty()) {
            groups.add(new NodeGroupDefinition(label, new NodeSelector.Ranks(ranks), null, Map.of(), false, List.of()));
            labels.add(label);
        }
    }

    private static PlanRequest request(Draw draw, ClusterSnapshot snapshot, Random random) {
        Cluster cluster = Cluster.of(snapshot.nodes().size(), draw.groups(), snapshot);
        int total = new HardwareRankResolver(cluster.requireNodeGroups(draw.labels(), "test")).count();
        int first = random.nextInt(total);
        List<Integer> ranks = new ArrayList<>(IntStream.rangeClosed(first, first + random.nextInt(total - first))
                .boxed()
                .toList());
        Collections.shuffle(ranks, random);
        return PlanRequest.builder(cluster)
                .server("E", "srt", 1 + random.nextInt(3), Map.of())
                .router("R", Map.of())
                .hardwareRanks(ranks)
                .nodeGroups(draw.labels())
                .build();
    }

    @Test
    void everyPlanGivesWhatWasAskedOnce() {
        long plans = seeds(PlanPropertiesTest::holds);
        assertThat(plans).as("seeds that can be planned").isGreaterThan(SEEDS / 4);
    }

    @Test
    void plansDoNotDependOnTheOrderInWhichRayReportsNodes() {
        seeds(seed -> {
            doesNotDependOnTheOrder(seed);
            return true;
        });
    }

    @Test
    void componentRanksAreDense() {
        seeds(seed -> {
            componentPlacementsAreDense(seed);
            return true;
        });
    }

    private static long seeds(IntPredicate check) {
        return IntStream.range(0, SEEDS)
                .filter(seed -> {
                    try {
                        return check.test(seed);
                    } catch (AssertionError failure) {
                        throw new AssertionError("seed " + seed + ": " + failure.getMessage(), failure);
                    }
                })
                .count();
    }

    private static boolean holds(int seed) {
        Draw draw = draw(new Random(seed));
        PlanRequest request = request(draw, draw.snapshot(), new Random(seed));
        FleetPlan plan;
        try {
            plan = FleetPlanner.plan(request);
        } catch (PlacementException refusal) {
            assertThat(refusal.getMessage()).isNotBlank();
            return false;
        }
        int asked = requireNonNull(request.pools().get(0).ranksOrNull()).size();
        int width = request.server().orElseThrow().acceleratorsPerEngine();
        assertThat(plan.engines()).hasSize(asked / width);
        Set<String> given = new HashSet<>();
        for (int rank = 0; rank < plan.engines().size(); rank++) {
            EnginePlan engine = plan.engines().get(rank);
            Placement placement = engine.placement();
            assertThat(engine.rank()).isEqualTo(rank).isEqualTo(placement.rank());
            assertThat(engine.node()).isEqualTo(request.cluster().node(placement.clusterNodeRank()));
            assertThat(placement.localRank()).isBetween(0, placement.localWorldSize() - 1);
            for (int accelerator : placement.localHardwareRanks()) {
                assertThat(accelerator).isBetween(0, engine.node().accelerators() - 1);
                assertThat(given.add(engine.node().rank() + "/" + accelerator))
                        .as(
                                "accelerator %s of node %s given once",
                                accelerator, engine.node().rank())
                        .isTrue();
            }
        }
        assertThat(given).hasSize(asked);
        assertNodesAreNotOverbooked(plan, request.cluster());
        return true;
    }

    private static void assertNodesAreNotOverbooked(FleetPlan plan, Cluster cluster) {
        for (NodeInfo node : cluster.nodes()) {
            double reserved = plan.bundles().stream()
                    .filter(bundle -> bundle.nodeIp().equals(node.ip()))
                    .mapToDouble(bundle -> bundle.resources().getOrDefault("GPU", 0.0))
                    .sum();
            assertThat(reserved).isLessThanOrEqualTo(node.accelerators());
        }
    }

    private static void doesNotDependOnTheOrder(int seed) {
        Draw draw = draw(new Random(seed));
        boolean severalKinds = draw.snapshot().nodes().stream()
                        .map(node -> node.accelerators() == 0)
                        .distinct()
                        .count()
                > 1;
        boolean ranked = draw.snapshot().nodes().get(0).envNodeRank() != null;
        List<NodeSnapshot> shuffled = new ArrayList<>(draw.snapshot().nodes());
        Collections.shuffle(shuffled, new Random(seed + 1));
        ClusterSnapshot other = new ClusterSnapshot(shuffled, draw.snapshot().headNodeId());
        if (!ranked && severalKinds) {
            // As in RLinf, unranked nodes of several kinds go in the order in which the kinds appear.
            assertThat(Cluster.of(shuffled.size(), List.of(), other)
                            .node(0)
                            .snapshot()
                            .nodeId())
                    .isEqualTo(draw.snapshot().headNodeId());
            return;
        }
        assertThat(outcome(draw, other, seed)).isEqualTo(outcome(draw, draw.snapshot(), seed));
    }

    private static Object outcome(Draw draw, ClusterSnapshot snapshot, int seed) {
        try {
            return FleetPlanner.plan(request(draw, snapshot, new Random(seed)));
        } catch (PlacementException refusal) {
            return String.valueOf(refusal.getMessage());
        }
    }

    private static void componentPlacementsAreDense(int seed) {
        Random random = new Random(seed);
        int resources = 1 + random.nextInt(12);
        StringBuilder text = new StringBuilder();
        int expected = 0;
        for (int next = 0; next < resources; ) {
            int count = 1 + random.nextInt(resources - next);
            int perResource = random.nextInt(3);
            text.append(text.isEmpty() ? "" : ", ").append(next).append('-').append(next + count - 1);
            int processes = perResource == 0 ? count : count * perResource;
            if (perResource > 0) {
                text.append(" : ").append(expected).append('-').append(expected + processes - 1);
            }
            expected += processes;
            next += count;
        }
        RankMap map = RankMap.parse(text.toString(), resources, "Accelerator");
        assertThat(map.worldSize()).isEqualTo(expected);
        assertThat(map.resourcesByProcess())
                .hasSize(expected)
                .allSatisfy(ranks -> assertThat(ranks).hasSize(1));
        assertThat(map.resources())
                .isEqualTo(IntStream.range(0, resources).boxed().toList());
        List<Placement> placements = new FlexiblePlacementStrategy(map.resourcesByProcess(), List.of())
                .getPlacement(Clusters.plain(resources));
        assertThat(placements).hasSize(map.worldSize());
        assertThat(placements)
                .extracting(Placement::rank)
                .isEqualTo(IntStream.range(0, expected).boxed().toList());
    }
}
