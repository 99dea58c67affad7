/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.FleetState;
import dev.sglangray.app.session.RayLedger.NamedActor;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.plan.RunningFleetPlan;
import dev.sglangray.placement.ray.LedgerSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class FleetTracesTest {
    private final List<NamedActor> actors = new ArrayList<>();
    private final List<LedgerSnapshot.Group> groups = new ArrayList<>();

    private void engine(String group, int rank, String placementGroup) {
        actors.add(new NamedActor(group + ":" + rank, "SGLangServerWorker", placementGroup, "01", 0, ""));
    }

    private void router(String group, String placementGroup) {
        actors.add(new NamedActor(group + ":0", "SGLangRouterWorker", placementGroup, "01", 0, ""));
    }

    private void group(String id, String name, String namespace) {
        groups.add(new LedgerSnapshot.Group(id, name, namespace, "CREATED", "01", List.of()));
    }

    private FleetTraces traces() {
        return new FleetTraces("here", actors, groups);
    }

    @Test
    void anEngineIsFoundWhateverItsRank() {
        engine("X", 0, "a");
        engine("X", 100_000, "a");
        engine("X:1", 7, "a");
        actors.add(new NamedActor("X:gateway", "Gateway", "", "02", 0, ""));
        assertThat(traces().ranks("X")).containsExactly(0, 100_000);
        assertThat(traces().actors(Optional.of("X"), Optional.empty())).containsExactly("X:gateway", "X:0", "X:100000");
    }

    @Test
    void aFleetsRouterIsTheOneInItsOwnPlacementGroup() {
        group("a", "sglang-ray/A", "here");
        group("b", "sglang-ray/B", "here");
        router("Router", "a");
        engine("B", 0, "b");
        assertThat(traces().routerGroup("A")).contains("Router");
        assertThat(traces().routerGroup("B")).isEmpty();
        assertThat(traces().actors(Optional.of("B"), Optional.empty())).containsExactly("B:0");
    }

    @Test
    void aFurtherGroupIsNotTheGroupOfAnotherFleet() {
        group("a", "sglang-ray/X", "here");
        group("b", "sglang-ray/X/scale-1", "here");
        group("c", "sglang-ray/X/scale-300", "here");
        group("d", "sglang-ray/X", "elsewhere");
        group("e", "sglang-ray/XY", "here");
        engine("X/scale-1", 0, "b");
        assertThat(traces().placementGroups("X"))
                .extracting(LedgerSnapshot.Group::id)
                .containsExactly("a", "c");
        assertThat(traces().placementGroups("X/scale-1"))
                .extracting(LedgerSnapshot.Group::id)
                .containsExactly("b");
        actors.clear();
        assertThat(traces().placementGroups("X"))
                .extracting(LedgerSnapshot.Group::id)
                .containsExactly("a", "b", "c");
    }

    @Test
    void theOwnerOfAFleetComesFirst() {
        engine("X", 0, "a");
        router("R", "a");
        actors.add(new NamedActor("X:gateway", "Gateway", "", "02", 0, ""));
        actors.add(new NamedActor("sglang-ray-owner/X", "FleetOwnerActor", "", "02", 0, ""));
        assertThat(traces().actors(Optional.of("X"), Optional.of("R")))
                .containsExactly("sglang-ray-owner/X", "X:gateway", "R:0", "X:0");
        assertThat(traces().isLaunched("X")).isTrue();
        assertThat(traces().isLaunched("R")).isFalse();
    }

    @Test
    void aFleetOfTheSameNameThatAnotherJobCreatedIsNotOfThisJob() {
        group("a", "sglang-ray/X", "here");
        engine("X", 0, "a");
        actors.add(new NamedActor("X:gateway", "Gateway", "", "02", 0, ""));
        assertThat(traces().ofJob("02").actors(Optional.of("X"), Optional.empty()))
                .containsExactly("X:gateway");
        assertThat(traces().ofJob("02").placementGroups("X")).isEmpty();
        assertThat(traces().ofJob("01").actors(Optional.of("X"), Optional.empty()))
                .containsExactly("X:0");
        assertThat(traces().ofJob("01").placementGroups("X")).hasSize(1);
    }

    @Test
    void aSuccessorKeepsWhatIsWhereItsPredecessorWrote() {
        group("a", "sglang-ray/X", "here");
        group("b", "sglang-ray/X/scale-1", "here");
        group("c", "sglang-ray/X/scale-2", "here");
        engine("X", 0, "a");
        engine("X", 1, "b");
        engine("X", 2, "c");
        FleetState state = new FleetState(
                List.of(),
                0,
                "",
                Map.of("", 3),
                1,
                0,
                List.of(),
                List.of(seat(0, "sglang-ray/X"), seat(1, "sglang-ray/X"), seat(2, "sglang-ray/X/scale-2")));
        assertThat(traces().known("X", state))
                .as("engine 1 had been moved to a group that was not written down")
                .containsExactly(0, 2);
        assertThat(traces().unknownGroups("X", state))
                .extracting(LedgerSnapshot.Group::id)
                .containsExactly("b");
    }

    private static FleetState.Seat seat(int rank, String group) {
        Placement placement =
                new Placement(rank, 0, 0, 0, AcceleratorType.NV_GPU, 0, 1, List.of("0"), true, List.of(0), "cluster");
        return new FleetState.Seat(
                new RunningFleetPlan.Engine("", List.of(new RunningFleetPlan.Seat(placement, 0))), group, true);
    }
}
