/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.Cluster;
import dev.sglangray.placement.ClusterSnapshot;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.FleetPlanner;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.PlanRequest;
import io.ray.api.runtimecontext.NodeInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FleetReservationTest {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final List<NodeInfo> NODES = List.of(node(0, 0), node(1, 4));

    private static NodeInfo node(int index, int gpus) {
        return RayNodes.node(index, true, Map.of("GPU", (double) gpus, "node:10.0.0." + (index + 1), 1.0), Map.of());
    }

    private static ClusterSnapshot snapshot(NodeInfo... nodes) {
        return RayClusterReader.snapshot(List.of(nodes), RayNodes.id(0));
    }

    private static FleetPlan plan() {
        Cluster cluster = Cluster.of(2, List.of(), snapshot(NODES.get(0), NODES.get(1)));
        return FleetPlanner.plan(PlanRequest.builder(cluster)
                .fleetName("fleet")
                .server("E", "srt", 2, Map.of())
                .router("R", Map.of())
                .hardwareRanks(List.of(0, 1, 2, 3))
                .build());
    }

    @Test
    void reservesAndGivesBackOnce() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        ray.readyAfterSlices = 1;
        FleetReservation reservation = FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray);
        assertThat(reservation.placementGroup().getName()).isEqualTo("fleet");
        assertThat(reservation.placementGroup().getBundles()).hasSize(3);
        assertThat(ray.removed).isEmpty();
        reservation.close();
        reservation.close();
        assertThat(ray.removed).containsExactly("fleet");
    }

    @Test
    void tellsWhatItWaitsForLessAndLessOften() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), node(1, 2)));
        ray.readyAfterSlices = 25;
        List<String> lines = new ArrayList<>();
        FleetReservation.reserve(plan(), DEADLINE, lines::add, ray);
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0))
                .startsWith(
                        "waiting for 3 bundles, 1 s of 30 s: node 10.0.0.2 has 2 GPU in all, but 4 is wanted there");
        assertThat(lines.get(3)).contains("20 s of 30 s");
    }

    @Test
    void atTheDeadlineItSaysWhatLacksAndLeavesNothing() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), node(1, 2)));
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("3 bundles of \"fleet\" were not reserved within 30 s")
                .hasMessageContaining("node 10.0.0.2 has 2 GPU in all, but 4 is wanted there")
                .hasMessageContaining("bundle 1 of E:1 {GPU=2.0}");
        assertThat(ray.removed).containsExactly("fleet");
    }

    @Test
    void aDeadNodeIsNamed() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0)));
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray))
                .hasMessageContaining("node 10.0.0.2 is not alive");
    }

    @Test
    void whenTotalsSufficeOthersAreNamed() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        ray.others.add("\"training\" (CREATED) with {GPU=4.0}");
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray))
                .hasMessageContaining("in use by other jobs")
                .hasMessageContaining("\"training\"");
    }

    @Test
    void aTakenNameIsRefusedAndTheOtherGroupIsLeftAlone() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        ray.nameTaken = true;
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("\"fleet\" exists in this Ray namespace already");
        assertThat(ray.removed).isEmpty();
    }

    @Test
    void anInterruptEndsTheWaitAndStaysSet() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        ray.interruptWhileWaiting = true;
        try {
            assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray))
                    .isInstanceOf(PlacementException.class)
                    .hasCauseInstanceOf(InterruptedException.class);
            assertThat(Thread.currentThread().isInterrupted()).isTrue();
        } finally {
            Thread.interrupted();
        }
        assertThat(ray.removed).containsExactly("fleet");
    }

    @Test
    void aFailingListenerOrRayLeavesNothing() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        assertThatThrownBy(() -> FleetReservation.reserve(
                        plan(),
                        DEADLINE,
                        line -> {
                            throw new IllegalStateException("display gone");
                        },
                        ray))
                .hasMessage("display gone");
        assertThat(ray.removed).containsExactly("fleet");

        FakeRayGroups gone = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        gone.removedByOthers = true;
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, gone))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("Placement group is removed.");
    }

    @Test
    void aPlanOfNothingNeedsNoPlacementGroup() {
        Cluster cluster = Cluster.of(1, List.of(), snapshot(NODES.get(0)));
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0)));
        FleetPlan nothing = FleetPlanner.plan(PlanRequest.builder(cluster).build());
        try (FleetReservation reservation = FleetReservation.reserve(nothing, DEADLINE, line -> {}, ray)) {
            assertThatThrownBy(reservation::placementGroup).isInstanceOf(IllegalStateException.class);
        }
        assertThat(ray.removed).isEmpty();
    }
}
