/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.strategy.FlexiblePlacementStrategy;
import dev.sglangray.placement.strategy.NodePlacementStrategy;
import dev.sglangray.placement.strategy.PackedPlacementStrategy;
import dev.sglangray.placement.strategy.PlacementStrategy;
import java.util.List;
import org.junit.jupiter.api.Test;

class StrategiesTest {
    @Test
    void packsNodeAfterNode() {
        List<Placement> placements =
                PackedPlacementStrategy.of(2, 7, 2, List.of()).getPlacement(Clusters.plain(4, 4));
        assertThat(placements).extracting(Placement::clusterNodeRank).containsExactly(0, 1, 1);
        assertThat(placements)
                .extracting(Placement::localHardwareRanks)
                .containsExactly(List.of(2, 3), List.of(0, 1), List.of(2, 3));
        assertThat(placements).extracting(Placement::localRank).containsExactly(0, 0, 1);
        assertThat(placements).extracting(Placement::localWorldSize).containsExactly(1, 2, 2);
        assertThat(placements).extracting(Placement::placementNodeRank).containsExactly(0, 1, 1);
    }

    @Test
    void stridesInterleaveProcesses() {
        List<Placement> placements = new PackedPlacementStrategy(0, 3, 2, 2, List.of()).getPlacement(Clusters.plain(4));
        assertThat(placements).extracting(Placement::localHardwareRanks).containsExactly(List.of(0, 2), List.of(1, 3));
        assertThat(placements)
                .extracting(Placement::visibleAccelerators)
                .containsExactly(List.of("0", "2"), List.of("1", "3"));
    }

    @Test
    void withoutIsolationAProcessSeesItsWholeNode() {
        Placement placement = PackedPlacementStrategy.of(2, 2, 1, List.of())
                .getPlacement(Clusters.plain(4), false)
                .get(0);
        assertThat(placement.visibleAccelerators()).containsExactly("0", "1", "2", "3");
        assertThat(placement.localAcceleratorRank()).isZero();
        assertThat(placement.localHardwareRanks()).containsExactly(2);
    }

    @Test
    void neverGivesHardwareThatANodeDoesNotHave() {
        PackedPlacementStrategy across = PackedPlacementStrategy.of(1, 2, 2, List.of());
        assertThatThrownBy(() -> across.getPlacement(Clusters.plain(2, 2)))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("rank 0")
                .hasMessageContaining("1 to 2")
                .hasMessageContaining("cannot spread over nodes")
                .hasMessageContaining("2 x NV_GPU:H100");
    }

    @Test
    void refusesWidthsAndStridesWithoutSense() {
        for (int[] shape : new int[][] {{0, 1}, {-1, 1}, {1, 0}, {2, -1}, {3, 1}, {2, 4}}) {
            assertThatThrownBy(() -> new PackedPlacementStrategy(0, 3, shape[0], shape[1], List.of()))
                    .isInstanceOf(PlacementException.class);
        }
        assertThatThrownBy(() -> PackedPlacementStrategy.of(-1, 3, 1, List.of()))
                .isInstanceOf(PlacementException.class);
        assertThatThrownBy(() -> PackedPlacementStrategy.of(3, 1, 1, List.of())).isInstanceOf(PlacementException.class);
    }

    @Test
    void tellsHowToDeclareAccelerators() {
        assertThatThrownBy(() -> PackedPlacementStrategy.of(0, 0, 1, List.of()).getPlacement(Clusters.plain(0)))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("ray start --num-gpus=N")
                .hasMessageContaining("no accelerator");
        assertThatThrownBy(() ->
                        new FlexiblePlacementStrategy(List.of(List.of(0)), List.of()).getPlacement(Clusters.plain(0)))
                .hasMessageContaining("ray start --num-gpus=N");
    }

    @Test
    void flexibleSortsProcessesAndTheirRanks() {
        List<Placement> placements = new FlexiblePlacementStrategy(
                        List.of(List.of(5, 4), List.of(1), List.of(1)), List.of())
                .getPlacement(Clusters.plain(4, 4));
        assertThat(placements)
                .extracting(Placement::localHardwareRanks)
                .containsExactly(List.of(1), List.of(1), List.of(0, 1));
        assertThat(placements).extracting(Placement::clusterNodeRank).containsExactly(0, 0, 1);
    }

    @Test
    void flexibleRefusesWhatCannotBe() {
        Cluster cluster = Clusters.plain(2, 2);
        for (List<Integer> ranks : List.of(List.of(1, 2), List.of(0, 0), List.of(4), List.<Integer>of())) {
            assertThatThrownBy(() ->
                            new FlexiblePlacementStrategy(List.of(List.of(0), ranks), List.of()).getPlacement(cluster))
                    .isInstanceOf(PlacementException.class)
                    .hasMessageContaining("flexible placement, rank");
        }
        assertThatThrownBy(() -> new FlexiblePlacementStrategy(List.of(), List.of()))
                .isInstanceOf(PlacementException.class);
        assertThatThrownBy(() -> new FlexiblePlacementStrategy(List.of(List.of(-1)), List.of()))
                .isInstanceOf(PlacementException.class);
    }

    @Test
    void nodesTakeAnyNumberOfProcesses() {
        List<Placement> placements =
                new NodePlacementStrategy(List.of(1, 0, 1), List.of()).getPlacement(Clusters.plain(2, 0));
        assertThat(placements).extracting(Placement::clusterNodeRank).containsExactly(0, 1, 1);
        assertThat(placements).extracting(Placement::localAcceleratorRank).containsExactly(0, -1, -1);
        assertThat(placements).extracting(Placement::localHardwareRanks).containsOnly(List.of());
        assertThatThrownBy(() -> new NodePlacementStrategy(List.of(2), List.of()).getPlacement(Clusters.plain(2, 0)))
                .hasMessageContaining("ranks 0 to 1");
    }

    @Test
    void aGroupNamedTwiceIsRefusedEverywhere() {
        Cluster cluster = Clusters.plain(2);
        List<String> twice = List.of("cluster", "cluster");
        for (PlacementStrategy strategy : List.of(
                PackedPlacementStrategy.of(0, 0, 1, twice),
                new FlexiblePlacementStrategy(List.of(List.of(0)), twice),
                new NodePlacementStrategy(List.of(0), twice))) {
            assertThatThrownBy(() -> strategy.getPlacement(cluster)).hasMessageContaining("named twice");
        }
    }

    @Test
    void anUnknownLabelNamesTheNearest() {
        assertThatThrownBy(() ->
                        PackedPlacementStrategy.of(0, 0, 1, List.of("clutser")).getPlacement(Clusters.plain(2)))
                .hasMessageContaining("\"clutser\"")
                .hasMessageContaining("Did you mean \"cluster\"?");
    }
}
