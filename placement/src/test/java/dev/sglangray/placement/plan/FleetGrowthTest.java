/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.rank.AcceleratorIds;
import dev.sglangray.placement.ray.FreeCapacity;
import dev.sglangray.placement.ray.LedgerSnapshot;
import dev.sglangray.placement.strategy.NodePlacementStrategy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FleetGrowthTest {
    /** Nodes whose resources Ray knows, too. */
    private static ClusterSnapshot snapshot(int... gpus) {
        List<NodeSnapshot> nodes = new ArrayList<>();
        for (int i = 0; i < gpus.length; i++) {
            NodeSnapshot plain = Clusters.node(i, gpus[i], i);
            nodes.add(new NodeSnapshot(
                    plain.nodeId(),
                    plain.ip(),
                    "",
                    Map.of(),
                    Map.of("GPU", (double) gpus[i], "node:" + plain.ip(), 1.0),
                    gpus[i],
                    plain.acceleratorType(),
                    plain.acceleratorModel(),
                    i));
        }
        return new ClusterSnapshot(nodes, "id0");
    }

    private static PlanRequest.Builder request(Cluster cluster, int width, int first, int last) {
        return PlanRequest.builder(cluster)
                .server("Engines", "srt", width, Map.of("tp_size", width))
                .router("Router", Map.of())
                .hardwareRanks(IntStream.rangeClosed(first, last).boxed().toList());
    }

    private static FleetPlan grow(
            PlanRequest request, FleetPlan plan, ClusterSnapshot now, LedgerSnapshot ledger, int count) {
        Cluster cluster = request.cluster().widened(now);
        int size = plan.engines().size();
        return new FleetGrowth(
                        request,
                        cluster,
                        new FreeCapacity(now, ledger),
                        plan.engines().get(0),
                        plan.engines(),
                        plan.router().orElse(null))
                .plan(IntStream.range(size, size + count).boxed().toList(), size + count, "fleet/scale-1");
    }

    /** What Ray would say once a plan is reserved. */
    private static LedgerSnapshot ledger(FleetPlan... plans) {
        List<LedgerSnapshot.Group> groups = new ArrayList<>();
        for (FleetPlan plan : plans) {
            groups.add(new LedgerSnapshot.Group(
                    plan.group().name(),
                    plan.group().name(),
                    "",
                    "CREATED",
                    "",
                    plan.bundles().stream()
                            .map(bundle -> new LedgerSnapshot.Bundle(
                                    "id" + (Integer.parseInt(bundle.nodeIp().substring(7)) - 1), bundle.resources()))
                            .toList()));
        }
        return new LedgerSnapshot(groups, List.of());
    }

    @Test
    void anEngineWithAFixedPortGoesToANodeWithoutOne() {
        ClusterSnapshot now = snapshot(4, 4);
        PlanRequest request = PlanRequest.builder(Cluster.of(2, List.of(), now))
                .server("Engines", "srt", 1, Map.of("grpc_port", 9000))
                .hardwareRanks(List.of(0))
                .build();
        FleetPlan plan = FleetPlanner.plan(request);

        assertThat(grow(request, plan, now, ledger(plan), 1).engines())
                .singleElement()
                .satisfies(engine -> assertThat(engine.node().rank()).isEqualTo(1));
        assertThatThrownBy(() -> grow(request, plan, now, ledger(plan), 2))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("fix the port(s) 9000, so that each node can have one such engine");
    }

    @Test
    void goesOnWhereTheLaunchStopped() {
        ClusterSnapshot now = snapshot(4, 4);
        Cluster cluster = Cluster.of(2, List.of(), now);
        PlanRequest request = request(cluster, 2, 0, 1).build();
        FleetPlan plan = FleetPlanner.plan(request);

        FleetPlan more = grow(request, plan, now, ledger(plan), 3);

        assertThat(more.group()).isEqualTo(new GroupPlan.Own("fleet/scale-1", GroupStrategy.PACK));
        assertThat(more.router()).isEmpty();
        assertThat(more.engines())
                .extracting(EnginePlan::actorName)
                .containsExactly("Engines:1", "Engines:2", "Engines:3");
        assertThat(more.engines())
                .extracting(engine ->
                        engine.node().rank() + ":" + engine.placement().localHardwareRanks())
                .containsExactly("0:[2, 3]", "1:[0, 1]", "1:[2, 3]");
        assertThat(more.bundles())
                .extracting(BundlePlan::resources)
                .startsWith(Map.of("GPU", 2.0, "node:10.0.0.1", 0.001))
                .hasSize(3);
        assertThat(more.engines().get(1).environment())
                .contains(
                        entry("RANK", "2"),
                        entry("WORLD_SIZE", "4"),
                        entry("MASTER_ADDR", "10.0.0.1"),
                        entry("NODE_RANK", "1"),
                        entry("NODE_LOCAL_RANK", "0"),
                        entry("CUDA_VISIBLE_DEVICES", "0,1"));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void isPlacedAsALargerLaunchWouldBe(long seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            int width = 1 + random.nextInt(3);
            int[] gpus = IntStream.range(0, 1 + random.nextInt(4))
                    .map(node -> width * (1 + random.nextInt(3)))
                    .toArray();
            int all = IntStream.of(gpus).sum() / width;
            int before = 1 + random.nextInt(all);
            ClusterSnapshot now = snapshot(gpus);
            Cluster cluster = Cluster.of(gpus.length, List.of(), now);
            PlanRequest request = request(cluster, width, 0, before * width - 1).build();
            FleetPlan plan = FleetPlanner.plan(request);
            FleetPlan whole = FleetPlanner.plan(
                    request(cluster, width, 0, all * width - 1).build());

            FleetPlan more = grow(request, plan, now, ledger(plan), all - before);

            for (EnginePlan engine : more.engines()) {
                EnginePlan same = whole.engines().get(engine.rank());
                assertThat(engine.node()).isEqualTo(same.node());
                assertThat(engine.resources()).isEqualTo(same.resources());
                assertThat(engine.placement().localHardwareRanks())
                        .isEqualTo(same.placement().localHardwareRanks());
                Map<String, String> environment = new HashMap<>(engine.environment());
                // How many of the group are on the node is known of the last one only.
                environment.put("NODE_LOCAL_WORLD_SIZE", same.environment().get("NODE_LOCAL_WORLD_SIZE"));
                assertThat(environment).isEqualTo(same.environment());
            }
            assertThatThrownBy(() -> grow(request, plan, now, ledger(plan), all - before + 1))
                    .isInstanceOf(PlacementException.class)
                    .hasMessageContaining("there is no place for 1 of " + (all - before + 1) + " further engine(s)");
        }
    }

    @Test
    void staysClearOfWhatOthersHold() {
        ClusterSnapshot now = snapshot(2, 2, 2);
        Cluster cluster = Cluster.of(3, List.of(), now);
        PlanRequest request = request(cluster, 1, 0, 0).build();
        FleetPlan plan = FleetPlanner.plan(request);
        LedgerSnapshot reserved = ledger(plan);
        LedgerSnapshot busy = new LedgerSnapshot(
                reserved.groups(),
                List.of(
                        new LedgerSnapshot.Actor("trainer", "id0", Map.of("GPU", 1.0)),
                        new LedgerSnapshot.Actor("trainer", "id1", Map.of("GPU", 1.5))));

        assertThat(grow(request, plan, now, busy, 2).engines())
                .extracting(engine -> engine.node().rank())
                .containsExactly(2, 2);
        assertThatThrownBy(() -> grow(request, plan, now, busy, 3))
                .hasMessageContaining("node rank 1")
                .hasMessageContaining("GPU 0.5");
    }

    @Test
    void usesNodesThatJoinedAndNoneThatLeft() {
        Cluster cluster = Cluster.of(2, List.of(), snapshot(1, 1));
        PlanRequest request = request(cluster, 1, 0, 0).build();
        FleetPlan plan = FleetPlanner.plan(request);

        assertThat(grow(request, plan, snapshot(1, 1, 1), ledger(plan), 2).engines())
                .extracting(engine -> engine.node().ip())
                .containsExactly("10.0.0.2", "10.0.0.3");
        ClusterSnapshot left = new ClusterSnapshot(snapshot(1, 1).nodes().subList(0, 1), "id0");
        assertThatThrownBy(() -> grow(request, plan, left, ledger(plan), 1)).hasMessageContaining("gone");
    }

    @Test
    void aNodeThatReplacesALostOneCounts() {
        ClusterSnapshot before = snapshot(2, 2);
        Cluster cluster = Cluster.of(2, List.of(), before);
        PlanRequest request = request(cluster, 1, 0, 1).build();
        FleetPlan plan = FleetPlanner.plan(request);
        List<NodeSnapshot> nodes = new ArrayList<>(snapshot(2, 2, 2).nodes());
        nodes.remove(1);
        ClusterSnapshot now = new ClusterSnapshot(nodes, "id0");

        List<EnginePlan> more = grow(request, plan, now, ledger(plan), 2).engines();

        assertThat(more).extracting(engine -> engine.node().ip()).containsOnly("10.0.0.3");
        assertThat(more).extracting(engine -> engine.node().rank()).containsOnly(2);
        assertThatThrownBy(() -> grow(request, plan, now, ledger(plan), 3)).hasMessageContaining("10.0.0.2", "gone");
    }

    @Test
    void isContentWithWhatFits() {
        ClusterSnapshot now = snapshot(2, 2);
        Cluster cluster = Cluster.of(2, List.of(), now);
        PlanRequest request = request(cluster, 1, 0, 0).build();
        FleetPlan plan = FleetPlanner.plan(request);
        List<EnginePlan> fit = new FleetGrowth(
                        request,
                        cluster,
                        new FreeCapacity(now, ledger(plan)),
                        plan.engines().get(0),
                        plan.engines(),
                        null)
                .planWhatFits(List.of(1, 2, 3, 4, 5), 6, "fleet/scale-1")
                .engines();
        assertThat(fit).extracting(EnginePlan::rank).containsExactly(1, 2, 3);
        FleetGrowth full = new FleetGrowth(
                request,
                cluster,
                new FreeCapacity(now, ledger(plan)),
                plan.engines().get(0),
                FleetPlanner.plan(request(cluster, 1, 0, 3).build()).engines(),
                null);
        assertThatThrownBy(() -> full.planWhatFits(List.of(4, 5), 6, "fleet/scale-1"))
                .hasMessageContaining("no place for 2 of 2");
    }

    @Test
    void keepsStrictPromises() {
        ClusterSnapshot now = snapshot(2, 2);
        Cluster cluster = Cluster.of(2, List.of(), now);
        GroupSettings packed = new GroupSettings(
                GroupStrategy.STRICT_PACK, AcceleratorIds.RAY, 1, Map.of(), Map.of(), null, null, List.of(), 0);
        PlanRequest request = request(cluster, 1, 0, 0).groupSettings(packed).build();
        FleetPlan plan = FleetPlanner.plan(request);
        assertThat(grow(request, plan, now, ledger(plan), 1)
                        .engines()
                        .get(0)
                        .node()
                        .rank())
                .isZero();
        assertThatThrownBy(() -> grow(request, plan, now, ledger(plan), 2))
                .hasMessageContaining("no place for 1 of 2 further engine(s)");
    }

    @Test
    void saysWhatItWouldNeedOnAnyNodes() {
        ClusterSnapshot now = snapshot(2);
        Cluster cluster = Cluster.of(1, List.of(), now);
        PlanRequest request = request(cluster, 2, 0, 1).build();
        FleetPlan plan = FleetPlanner.plan(request);
        FleetGrowth growth = new FleetGrowth(
                request,
                cluster,
                new FreeCapacity(now, ledger(plan)),
                plan.engines().get(0),
                plan.engines(),
                null);
        assertThat(growth.bundles(2))
                .hasSize(2)
                .allSatisfy(bundle -> assertThat(bundle)
                        .containsEntry("GPU", 2.0)
                        .allSatisfy((name, amount) -> assertThat(name).doesNotStartWith("node:")));
    }

    @Test
    void takesNothingOfWhichRayKnowsNothing() {
        ClusterSnapshot now = snapshot(2);
        Cluster cluster = Cluster.of(1, List.of(), now);
        GroupSettings trusting = new GroupSettings(
                GroupStrategy.PACK, AcceleratorIds.TRUST_CONFIG, 1, Map.of(), Map.of(), null, null, List.of(), 0);
        PlanRequest request = request(cluster, 1, 0, 0).groupSettings(trusting).build();
        FleetPlan plan = FleetPlanner.plan(request);
        assertThatThrownBy(() -> grow(request, plan, now, ledger(plan), 1))
                .hasMessageContaining("it is not known which other accelerators are free");
    }

    @Test
    void takesTheTrainersOtherBundles() {
        ClusterSnapshot now = snapshot(2, 2);
        Cluster cluster = Cluster.of(2, List.of(), now);
        ExistingGroup trainers = new ExistingGroup(
                "trainer",
                null,
                List.of(
                        new ExistingGroup.Bundle("id1", Map.of("GPU", 1.0)),
                        new ExistingGroup.Bundle("id0", Map.of("GPU", 1.0)),
                        new ExistingGroup.Bundle("id1", Map.of("GPU", 1.0))));
        GroupSettings settings = new GroupSettings(
                GroupStrategy.PACK, AcceleratorIds.RAY, 0.2, Map.of(), Map.of(), "trainer", null, List.of(), 0);
        PlanRequest request = PlanRequest.builder(cluster)
                .server("Engines", "srt", 1, Map.of())
                .hardwareRanks(List.of(0))
                .groupSettings(settings)
                .existingGroup(trainers)
                .build();
        FleetPlan plan = FleetPlanner.plan(request);
        assertThat(plan.engines()).extracting(EnginePlan::bundleIndex).containsExactly(1);

        FleetPlan more = grow(request, plan, now, LedgerSnapshot.EMPTY, 2);

        assertThat(more.group()).isInstanceOf(GroupPlan.Existing.class);
        assertThat(more.engines()).extracting(EnginePlan::bundleIndex).containsExactly(0, 2);
        assertThat(more.engines())
                .allSatisfy(engine -> assertThat(engine.resources()).containsEntry("GPU", 0.2));
        assertThatThrownBy(() -> grow(request, plan, now, LedgerSnapshot.EMPTY, 3))
                .isInstanceOf(PlacementException.class);
    }

    @Test
    void spreadsEnginesWithoutAcceleratorsEvenly() {
        ClusterSnapshot now = snapshot(0, 0);
        Cluster cluster = Cluster.of(2, List.of(), now);
        PlanRequest request = PlanRequest.builder(cluster)
                .server("Engines", "srt", 1, Map.of())
                .strategy(new NodePlacementStrategy(List.of(0), List.of()))
                .build();
        FleetPlan plan = FleetPlanner.plan(request);
        assertThat(grow(request, plan, now, ledger(plan), 3).engines())
                .extracting(engine -> engine.node().rank())
                .containsExactly(1, 0, 1);
    }

    @Test
    void anEngineTakesTheBerthOfAnother() {
        FleetPlan plan = FleetPlanner.plan(request(Clusters.plain(4), 2, 0, 3).build());
        EnginePlan moved = plan.engines().get(1).atRank(0, 1);
        assertThat(moved.actorName()).isEqualTo("Engines:0");
        assertThat(moved.placement().rank()).isZero();
        assertThat(moved.environment())
                .contains(
                        entry("RANK", "0"),
                        entry("WORLD_SIZE", "1"),
                        entry("WORKER_NAME", "Engines:0"),
                        entry("CUDA_VISIBLE_DEVICES", "2,3"));
        assertThat(moved.bundleIndex()).isEqualTo(1);
    }
}
