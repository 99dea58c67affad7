/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.config.ClusterConfig;
import dev.sglangray.config.Config;
import dev.sglangray.placement.AcceleratorType;
import dev.sglangray.placement.Cluster;
import dev.sglangray.placement.ClusterSnapshot;
import dev.sglangray.placement.ComponentPlacement;
import dev.sglangray.placement.EnginePlan;
import dev.sglangray.placement.FleetPlanner;
import dev.sglangray.placement.NodeSnapshot;
import dev.sglangray.placement.PlanRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Engines on one accelerator take its memory one after the other; all others start at once. */
class StartOrderTest {
    private final Map<Integer, CompletableFuture<Void>> starting = new LinkedHashMap<>();

    /** The engines of a placement on two nodes of two GPUs. */
    private static List<EnginePlan> engines(String placement) {
        Config root =
                Config.parse("cluster: {num_nodes: 2, component_placement: {rollout: '" + placement + "'}}", Map.of());
        List<NodeSnapshot> nodes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            nodes.add(NodeSnapshot.of("id" + i, "10.0.0." + (i + 1), 2, AcceleratorType.NV_GPU, "H100", i));
        }
        Cluster cluster = Cluster.of(ClusterConfig.from(root), new ClusterSnapshot(nodes, "id0"));
        return FleetPlanner.plan(PlanRequest.builder(cluster)
                        .fleetName("fleet")
                        .server("E", "srt", 1, Map.of())
                        .strategy(ComponentPlacement.of(root, cluster).getStrategy("rollout"))
                        .build())
                .engines();
    }

    private List<CompletableFuture<?>> start(String placement) {
        return StartOrder.of(engines(placement))
                .start(rank -> starting.computeIfAbsent(rank, unused -> new CompletableFuture<>()));
    }

    private CompletableFuture<Void> engine(int rank) {
        return Objects.requireNonNull(starting.get(rank));
    }

    private void serves(int rank) {
        engine(rank).complete(null);
    }

    @Test
    void enginesWithAcceleratorsOfTheirOwnStartAtOnce() {
        assertThat(start("0-3")).hasSize(4);
        assertThat(starting.keySet()).containsExactly(0, 1, 2, 3);
        assertThat(StartOrder.of(engines("0-3")).rounds()).isEqualTo(1);
    }

    @Test
    void enginesOfOneAcceleratorStartOneAfterTheOther() {
        List<CompletableFuture<?>> all = start("0:0-2");
        assertThat(starting.keySet()).containsExactly(0);
        serves(0);
        assertThat(starting.keySet()).containsExactly(0, 1);
        assertThat(all.get(0)).isCompleted();
        assertThat(all.get(2)).isNotDone();
        serves(1);
        serves(2);
        assertThat(all).allSatisfy(engine -> assertThat(engine).isCompleted());
    }

    @Test
    void eachAcceleratorHasAnOrderOfItsOwn() {
        // Accelerator 0 of either node: engines 0 and 1 on the one, 2 and 3 on the other.
        start("0:0-1,2:2-3");
        assertThat(starting.keySet()).containsExactly(0, 2);
        serves(2);
        assertThat(starting.keySet()).containsExactly(0, 2, 3);
    }

    @Test
    void anEngineWhosePredecessorFailedIsNotStarted() {
        List<CompletableFuture<?>> all = start("0:0-1");
        engine(0).completeExceptionally(new IllegalStateException("no memory"));
        assertThat(starting.keySet()).containsExactly(0);
        assertThat(all).allSatisfy(engine -> assertThat(engine).isCompletedExceptionally());
    }

    @Test
    void enginesThatWaitForOthersHaveTheTimeOfThoseToo() {
        Duration one = Duration.ofMinutes(2);
        assertThat(StartOrder.of(engines("0-3")).longest(one)).isEqualTo(one);
        assertThat(StartOrder.of(engines("0:0-2,1:3")).longest(one)).isEqualTo(Duration.ofMinutes(6));
        assertThat(StartOrder.of(List.of()).longest(one)).isEqualTo(one);
    }
}
