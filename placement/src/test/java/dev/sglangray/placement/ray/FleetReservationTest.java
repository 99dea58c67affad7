/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.plan.ExistingGroup;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.GroupStrategy;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.rank.AcceleratorIds;
import io.ray.api.runtimecontext.NodeInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FleetReservationTest {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final List<NodeInfo> NODES = List.of(node(0, 0), node(1, 4));

    private static NodeInfo node(int index, int gpus) {
        return RayNodes.node(index, true, Map.of("GPU", (double) gpus, "node:10.0.0." + (index + 1), 1.0), Map.of());
    }

    private static ClusterSnapshot snapshot(NodeInfo... nodes) {
        return RayClusterReader.snapshot(List.of(nodes), RayNodes.id(0), asked -> Map.of());
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
        FleetReservation reservation = FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray, () -> false);
        assertThat(reservation.placementGroup().getName()).isEqualTo("fleet");
        assertThat(reservation.placementGroup().getBundles()).hasSize(3);
        assertThat(ray.removed).isEmpty();
        reservation.close();
        reservation.close();
        assertThat(ray.removed).containsExactly("fleet");
    }

    @Test
    void aFailedReturnCanBeRepeated() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        ray.readyAfterSlices = 1;
        FleetReservation reservation = FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray, () -> false);
        ray.failOnRemove = true;
        assertThatThrownBy(reservation::close).hasMessage("no answer");
        ray.failOnRemove = false;
        reservation.close();
        assertThat(ray.removed).containsExactly("fleet");
    }

    @Test
    void othersMayGiveBackWhatTheyHoldButNobodyWhatIsNotThere() {
        FakeRayGroups held = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        held.ledger = held(1, Map.of("GPU", 1.5), Map.of("GPU", 0.5));
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, held, () -> false))
                .isInstanceOfSatisfying(
                        PlacementException.class,
                        refusal -> assertThat(refusal.busy()).isTrue());
        FakeRayGroups small = new FakeRayGroups(snapshot(NODES.get(0), node(1, 2)));
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, small, () -> false))
                .isInstanceOfSatisfying(
                        PlacementException.class,
                        refusal -> assertThat(refusal.busy()).isFalse());
    }

    private static LedgerSnapshot held(int index, Map<String, Double> byGroup, Map<String, Double> byActor) {
        String node = RayNodes.id(index).toString();
        return new LedgerSnapshot(
                List.of(
                        new LedgerSnapshot.Group(
                                "aa",
                                "training",
                                "lab",
                                "CREATED",
                                "",
                                List.of(new LedgerSnapshot.Bundle(node, byGroup))),
                        new LedgerSnapshot.Group(
                                "bb", "queued", "lab", "PENDING", "", List.of(new LedgerSnapshot.Bundle("", byGroup)))),
                List.of(new LedgerSnapshot.Actor("Judge", node, byActor)));
    }

    @Test
    void tellsWhatItWaitsForLessAndLessOften() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        ray.ledger = held(1, Map.of("GPU", 1.0), Map.of("GPU", 1.0));
        ray.readyAfterSlices = 25;
        List<String> lines = new ArrayList<>();
        FleetReservation.reserve(plan(), DEADLINE, lines::add, ray, () -> false);
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0))
                .isEqualTo(
                        "waiting for 3 bundles, 1 s of 30 s: bundle 1 of E:1 needs GPU 2 on node 10.0.0.2, which has GPU 4"
                                + " in all and GPU 0 free for it");
        assertThat(lines.get(3)).contains("20 s of 30 s");
    }

    @Test
    void atTheDeadlineATableSaysWhatLacksAndWhoHoldsIt() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1), node(2, 8)));
        ray.ledger = held(1, Map.of("GPU", 1.5), Map.of("GPU", 0.5, "CPU", 2.0));
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray, () -> false))
                .isInstanceOf(PlacementException.class)
                .hasMessage("""
                        the 3 bundles of "fleet" were not reserved within 30 s.
                          Why:
                            BUNDLE  FOR  NEEDS  ON NODE   WHICH HAS  FREE   LACKS
                            1       E:1  GPU 2  10.0.0.2  GPU 4      GPU 0  GPU 2
                            Who holds what there:
                              node 10.0.0.2: placement group "training" of namespace "lab" (CREATED) holds GPU 1.5
                              node 10.0.0.2: actor Judge holds CPU 2, GPU 0.5
                              placement group "queued" (PENDING), on nodes unknown: GPU 1.5
                            Other nodes with room:
                              node 10.0.0.3 has GPU 8 free""");
        assertThat(ray.removed).containsExactly("fleet");
    }

    @Test
    void whatCanNeverBeHadIsNotWaitedForToTheEnd() {
        FakeRayGroups small = new FakeRayGroups(snapshot(NODES.get(0), node(1, 2)));
        assertThatThrownBy(
                        () -> FleetReservation.reserve(plan(), Duration.ofMinutes(5), line -> {}, small, () -> false))
                .hasMessageContaining("were not reserved within 10 s")
                .hasMessageContaining("GPU 2  10.0.0.2  GPU 2      GPU 0  GPU 2");
        FakeRayGroups dead = new FakeRayGroups(snapshot(NODES.get(0)));
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), Duration.ofMinutes(5), line -> {}, dead, () -> false))
                .hasMessageContaining("were not reserved within 10 s")
                .hasMessageContaining("the node, which is not alive");
    }

    @Test
    void whenNothingIsKnownToLackItSaysSo() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray, () -> false))
                .hasMessageContaining("within 30 s")
                .hasMessageContaining("tasks, or actors that are about to start");
    }

    @Test
    void aGroupOfSomebodyElseIsUsedAndKept() {
        String node = RayNodes.id(1).toString();
        Cluster cluster = Cluster.of(2, List.of(), snapshot(NODES.get(0), NODES.get(1)));
        FleetPlan plan = FleetPlanner.plan(PlanRequest.builder(cluster)
                .server("E", "srt", 1, Map.of())
                .hardwareRanks(List.of(0))
                .groupSettings(new GroupSettings(
                        GroupStrategy.PACK,
                        AcceleratorIds.RAY,
                        0.5,
                        Map.of(),
                        Map.of(),
                        "training",
                        null,
                        List.of(),
                        0))
                .existingGroup(new ExistingGroup(
                        "training", null, List.of(new ExistingGroup.Bundle(node, Map.of("GPU", 1.0)))))
                .build());
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        assertThatThrownBy(() -> FleetReservation.reserve(plan, DEADLINE, line -> {}, ray, () -> false))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("\"training\", which the fleet was planned for, is gone");
        ray.existing = Optional.of(FakeRayGroups.group("training"));
        ray.readyAfterSlices = 1;
        FleetReservation reservation = FleetReservation.reserve(plan, DEADLINE, line -> {}, ray, () -> false);
        assertThat(reservation.placementGroup().getName()).isEqualTo("training");
        reservation.close();
        assertThat(ray.removed).isEmpty();
    }

    @Test
    void aTakenNameIsRefusedAndTheOtherGroupIsLeftAlone() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        ray.nameTaken = true;
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray, () -> false))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("\"fleet\" exists in this Ray namespace already");
        assertThat(ray.removed).isEmpty();
    }

    @Test
    void anInterruptEndsTheWaitAndStaysSet() {
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        ray.interruptWhileWaiting = true;
        try {
            assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, ray, () -> false))
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
                        ray,
                        () -> false))
                .hasMessage("display gone");
        assertThat(ray.removed).containsExactly("fleet");

        FakeRayGroups gone = new FakeRayGroups(snapshot(NODES.get(0), NODES.get(1)));
        gone.removedByOthers = true;
        assertThatThrownBy(() -> FleetReservation.reserve(plan(), DEADLINE, line -> {}, gone, () -> false))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("Placement group is removed.");
    }

    @Test
    void aPlanOfNothingNeedsNoPlacementGroup() {
        Cluster cluster = Cluster.of(1, List.of(), snapshot(NODES.get(0)));
        FakeRayGroups ray = new FakeRayGroups(snapshot(NODES.get(0)));
        FleetPlan nothing = FleetPlanner.plan(PlanRequest.builder(cluster).build());
        try (FleetReservation reservation = FleetReservation.reserve(nothing, DEADLINE, line -> {}, ray, () -> false)) {
            assertThatThrownBy(reservation::placementGroup).isInstanceOf(IllegalStateException.class);
        }
        assertThat(ray.removed).isEmpty();
    }
}
