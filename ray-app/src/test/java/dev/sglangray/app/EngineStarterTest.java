/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.strategy.ComponentPlacement;
import dev.sglangray.workers.RouterGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class EngineStarterTest {
    private static final Duration LONG = Duration.ofMinutes(5);

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

    @Test
    void enginesThatShareAcceleratorsMayTakeTheirTurns() {
        Duration one = Duration.ofMinutes(2);
        assertThat(EngineStarter.timeout(engines("0-3"), one)).isEqualTo(one);
        assertThat(EngineStarter.timeout(engines("0:0-2,1:3"), one)).isEqualTo(Duration.ofMinutes(6));
        assertThat(EngineStarter.timeout(List.of(), one)).isEqualTo(one);
    }

    /** sglang-router 0.3.2 took 1,000 on in 45 s to 90 s on two cores, and 3,200 in more than 6 minutes. */
    @Test
    void aRouterMayTakeManyEnginesOnOneAfterTheOther() {
        assertThat(EngineStarter.registerDeadline(2)).isBetween(Duration.ofMinutes(6), Duration.ofSeconds(361));
        assertThat(EngineStarter.registerDeadline(3200)).isGreaterThan(Duration.ofMinutes(30));
        for (int engines : new int[] {1, 3200}) {
            assertThat(EngineStarter.registerDeadline(engines))
                    .as("the failure of a registration says why, that of the wait for all does not")
                    .isGreaterThan(RouterGroup.registrationTimeout(engines));
        }
    }

    @Test
    void aCancelledChangeEndsItsWait() {
        CompletableFuture<Void> cancelled = CompletableFuture.failedFuture(new LaunchException("ended meanwhile"));
        CompletableFuture<Void> never = new CompletableFuture<>();
        assertThatThrownBy(() -> EngineStarter.await(List.of(never), List.of(cancelled), LONG, "started"))
                .isInstanceOf(LaunchException.class)
                .hasMessage("ended meanwhile");
        assertThatThrownBy(() -> EngineStarter.awaitEach(List.of(never), cancelled, LONG))
                .isInstanceOf(LaunchException.class)
                .hasMessage("ended meanwhile");
    }

    @Test
    void oneThatFailsOrIsLateCostsTheOthersNothing() {
        List<CompletableFuture<?>> starts = List.of(
                CompletableFuture.completedFuture("serves"),
                CompletableFuture.failedFuture(new IllegalStateException("no such weights")),
                new CompletableFuture<>());
        Map<Integer, RuntimeException> failures =
                EngineStarter.awaitEach(starts, new CompletableFuture<>(), Duration.ofMillis(10));
        assertThat(failures).containsOnlyKeys(1, 2);
        assertThat(failures.get(1)).hasMessage("no such weights");
        assertThat(failures.get(2)).hasMessageContaining("did not serve within");
    }
}
