/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.ray.FreeCapacity;
import dev.sglangray.placement.ray.LedgerSnapshot;
import dev.sglangray.placement.show.PlanExplainer;
import dev.sglangray.placement.show.PlanRenderer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Fleets of several pools. */
class PoolsPlanTest {
    private static final int SEEDS = 2000;

    private static ClusterSnapshot nodes(int... gpus) {
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

    private static Cluster cluster(int... gpus) {
        return Cluster.of(gpus.length, List.of(), nodes(gpus));
    }

    private static PlanRequest.Pool pool(String name, int width, int first, int count) {
        return pool(name, width, first, count, Map.of("tp_size", width));
    }

    private static PlanRequest.Pool pool(
            String name, int width, int first, int count, Map<String, @Nullable Object> arguments) {
        return new PlanRequest.Pool(
                name,
                new PlanRequest.Server("E", "srt", width, arguments),
                Map.of("POOL", name, "RANK", "its own"),
                IntStream.range(first, first + count * width).boxed().toList(),
                null,
                List.of());
    }

    private static PlanRequest.Builder request(Cluster cluster, PlanRequest.Pool... pools) {
        PlanRequest.Builder request =
                PlanRequest.builder(cluster).router("R", Map.of()).acrossNodes();
        List.of(pools).forEach(request::pool);
        return request;
    }

    @Test
    void enginesOfAllPoolsShareTheRanksOfOneGroup() {
        Cluster cluster = cluster(4, 4);
        FleetPlan plan = FleetPlanner.plan(request(cluster, pool("prefill", 4, 0, 1), pool("decode", 2, 4, 2))
                .build());

        assertThat(plan.engines())
                .extracting(EnginePlan::actorName, EnginePlan::pool, EnginePlan::accelerators)
                .containsExactly(tuple("E:0", "prefill", 4), tuple("E:1", "decode", 2), tuple("E:2", "decode", 2));
        assertThat(plan.engines().get(0).serverArgs()).containsEntry("tp_size", 4);
        EnginePlan last = plan.engines().get(2);
        assertThat(last.serverArgs()).containsEntry("tp_size", 2);
        assertThat(last.environment())
                .containsEntry("POOL", "decode")
                .containsEntry("RANK", "2")
                .containsEntry("WORLD_SIZE", "3")
                .containsEntry("CUDA_VISIBLE_DEVICES", "2,3")
                .containsEntry("MASTER_ADDR", plan.engines().get(0).node().ip());
        assertThat(plan.warnings()).isEmpty();
        assertThat(PlanRenderer.text(plan, cluster)).contains("srt, pool prefill", "srt, pool decode");
        assertThat(PlanExplainer.engine(plan, cluster, 1)).contains("pool: decode");
        assertThat(PlanRenderer.json(plan, cluster)).contains("\"pool\" : \"decode\"");
    }

    @Test
    void anEngineOverSeveralNodesHasTheRankOfItsPlaceInAllPools() {
        FleetPlan plan = FleetPlanner.plan(request(cluster(2, 2, 2), pool("a", 2, 0, 1), pool("b", 4, 2, 1))
                .build());

        assertThat(plan.engines().get(1).parts())
                .extracting(part -> part.placement().rank())
                .containsExactly(1, 1);
        assertThat(plan.engineActors()).containsEntry(2, "E:1/1");
    }

    @Test
    void aRefusalNamesThePool() {
        assertThatThrownBy(() -> FleetPlanner.plan(request(cluster(4, 4), pool("a", 2, 0, 1), pool("b", 4, 2, 1))
                        .build()))
                .isInstanceOf(PlacementException.class)
                .hasMessageStartingWith("E, pool b: ");
    }

    @Test
    void fixedPortsAreEachPoolsOwn() {
        FleetPlan plan = FleetPlanner.plan(request(
                        cluster(4),
                        pool("a", 1, 0, 1, Map.of("grpc_port", 9000)),
                        pool("b", 1, 1, 1, Map.of("grpc_port", 9001)),
                        pool("c", 1, 2, 1, Map.of("grpc_port", 9000)))
                .build());

        assertThat(FixedPorts.clash(plan))
                .hasValueSatisfying(clash -> assertThat(clash.message()).contains("E:0 and E:2", "port 9000"));
    }

    private static FleetPlan grow(PlanRequest request, FleetPlan plan, ClusterSnapshot now, int like, int count) {
        int size = plan.engines().size();
        return new FleetGrowth(
                        request,
                        request.cluster(),
                        new FreeCapacity(now, new LedgerSnapshot(List.of(), List.of())),
                        plan.engines().get(like),
                        plan.engines(),
                        plan.router().orElse(null))
                .plan(IntStream.range(size, size + count).boxed().toList(), size + count, "more");
    }

    @Test
    void furtherEnginesAreAsThoseOfTheirPool() {
        ClusterSnapshot now = nodes(4, 4, 4);
        PlanRequest request = request(Cluster.of(3, List.of(), now), pool("prefill", 4, 0, 1), pool("decode", 2, 4, 1))
                .build();
        FleetPlan plan = FleetPlanner.plan(request);

        assertThat(grow(request, plan, now, 1, 2).engines())
                .extracting(
                        EnginePlan::pool,
                        EnginePlan::accelerators,
                        engine -> engine.environment().get("POOL"))
                .containsOnly(tuple("decode", 2, "decode"));
        assertThat(grow(request, plan, now, 0, 1).engines()).singleElement().satisfies(engine -> {
            assertThat(engine.pool()).isEqualTo("prefill");
            assertThat(engine.nodeIps()).containsExactly("10.0.0.3");
            assertThat(engine.serverArgs()).containsEntry("tp_size", 4);
        });
        assertThatThrownBy(() -> grow(request, plan, now, 0, 2))
                .hasMessageStartingWith("E, pool prefill, rank 3: there is no place for 1 of 2 further engine(s)");
    }

    @Test
    void aFurtherEngineStaysClearOfThePortsOfOtherPoolsOnly() {
        ClusterSnapshot now = nodes(4);
        PlanRequest request = request(
                        Cluster.of(1, List.of(), now),
                        pool("a", 1, 0, 1, Map.of("grpc_port", 9000)),
                        pool("b", 1, 1, 1, Map.of()))
                .build();
        FleetPlan plan = FleetPlanner.plan(request);

        assertThat(grow(request, plan, now, 1, 1).engines()).hasSize(1);
        assertThatThrownBy(() -> grow(request, plan, now, 0, 1)).hasMessageContaining("fix the port(s) 9000");
        FleetPlan without = new FleetPlan(
                plan.fleetName(),
                plan.group(),
                plan.engines().subList(1, 2),
                plan.router().orElse(null),
                plan.bundles(),
                List.of());
        FleetGrowth growth = new FleetGrowth(
                request,
                request.cluster(),
                new FreeCapacity(now, new LedgerSnapshot(List.of(), List.of())),
                plan.engines().get(0),
                without.engines(),
                null);
        assertThat(growth.plan(List.of(0), 2, "more").engines())
                .singleElement()
                .satisfies(engine -> assertThat(engine.pool()).isEqualTo("a"));
    }

    @Test
    void aRunningFleetIsPlannedWithItsPools() {
        Cluster cluster = cluster(4, 4);
        PlanRequest request = request(cluster, pool("prefill", 4, 0, 1), pool("decode", 2, 4, 2))
                .build();
        FleetPlan plan = FleetPlanner.plan(request);

        FleetPlan again = RunningFleetPlan.plan(
                request,
                cluster,
                plan.engines().stream()
                        .map(engine -> new RunningFleetPlan.Engine(
                                engine.pool(),
                                engine.parts().stream()
                                        .map(part -> new RunningFleetPlan.Seat(part.placement(), part.bundleIndex()))
                                        .toList()))
                        .toList(),
                3,
                plan.engines().get(0).environment().getOrDefault("MASTER_ADDR", ""),
                plan.router().orElseThrow().bundleIndex(),
                plan.bundles());

        assertThat(again).isEqualTo(plan);
        assertThatThrownBy(() -> request.pool("encode"))
                .hasMessageContaining("there is no pool 'encode'")
                .hasMessageContaining("prefill");
    }

    @Test
    void everyPlanGivesEachAcceleratorOnceToPoolsInOrder() {
        int planned = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            planned += holds(new Random(seed)) ? 1 : 0;
        }
        assertThat(planned).as("seeds with a plan of several pools").isGreaterThan(SEEDS / 4);
    }

    private static boolean holds(Random random) {
        int perNode = 1 << random.nextInt(4);
        int[] gpus =
                IntStream.range(0, 1 + random.nextInt(12)).map(i -> perNode).toArray();
        int total = IntStream.of(gpus).sum();
        List<PlanRequest.Pool> pools = new ArrayList<>();
        int first = random.nextInt(8) == 0 ? 1 : 0;
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            int width = 1 << random.nextInt(5);
            int most = (total - first) / width;
            if (most > 0) {
                int count = 1 + random.nextInt(most);
                pools.add(pool("p" + pools.size(), width, first, count));
                first += count * width;
            }
        }
        Cluster cluster = cluster(gpus);
        FleetPlan plan;
        try {
            plan = FleetPlanner.plan(
                    request(cluster, pools.toArray(PlanRequest.Pool[]::new)).build());
        } catch (PlacementException refusal) {
            assertThat(refusal.getMessage()).isNotBlank();
            return false;
        }
        Set<String> given = new HashSet<>();
        List<String> order = new ArrayList<>();
        for (EnginePlan engine : plan.engines()) {
            assertThat(engine.rank()).isEqualTo(order.size());
            order.add(engine.pool());
            assertThat(engine.accelerators()).isEqualTo(engine.serverArgs().get("tp_size"));
            engine.parts()
                    .forEach(part -> part.placement()
                            .localHardwareRanks()
                            .forEach(piece -> assertThat(given.add(part.node().ip() + "/" + piece))
                                    .isTrue()));
        }
        assertThat(order).isSorted();
        for (PlanRequest.Pool pool : pools) {
            assertThat(order.stream().filter(pool.name()::equals).count()
                            * pool.server().acceleratorsPerEngine())
                    .isEqualTo(
                            pool.ranksOrNull() == null
                                    ? -1L
                                    : pool.ranksOrNull().size());
        }
        return pools.size() > 1;
    }
}
