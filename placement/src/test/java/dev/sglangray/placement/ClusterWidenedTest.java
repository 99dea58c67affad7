/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeGroupDefinition;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.NodeSelector;
import dev.sglangray.placement.cluster.NodeSnapshot;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes join a cluster, are lost, return and are replaced. */
class ClusterWidenedTest {
    @Test
    void aNodeThatJoinsCountsWhateverItsAddressSortsLike() {
        Cluster cluster = Cluster.of(2, List.of(), snapshot(node("a", 1, null), node("b", 5, null)));
        Cluster now = cluster.widened(snapshot(node("a", 1, null), node("c", 3, null), node("b", 5, null)));
        assertThat(now.nodes()).extracting(NodeInfo::ip).containsExactly("10.0.0.1", "10.0.0.5", "10.0.0.3");
    }

    @Test
    void aLostNodeKeepsItsRankUntilItsAddressReturns() {
        Cluster cluster = Cluster.of(2, List.of(), snapshot(node("a", 1, 0), node("b", 2, 1)));
        Cluster replaced = cluster.widened(snapshot(node("a", 1, 0), node("c", 3, 1)));
        assertThat(replaced.nodes())
                .extracting(node -> node.snapshot().nodeId())
                .containsExactly("a", "b", "c");
        Cluster returned = replaced.widened(snapshot(node("d", 2, 1), node("a", 1, 0), node("c", 3, 1)));
        assertThat(returned.nodes())
                .extracting(node -> node.snapshot().nodeId())
                .containsExactly("a", "d", "c");
    }

    @Test
    void aReplacementBelongsToTheGroupsOfTheRankThatItWasStartedWith() {
        NodeGroupDefinition group =
                new NodeGroupDefinition("rollout", new NodeSelector.Ranks(Set.of(1)), null, Map.of(), false, List.of());
        Cluster cluster = Cluster.of(2, List.of(group), snapshot(node("a", 1, 0), node("b", 2, 1)));
        Cluster replaced = cluster.widened(snapshot(node("a", 1, 0), node("c", 3, 1), node("d", 4, null)));
        assertThat(replaced.nodeGroup("rollout").orElseThrow().nodeRanks()).containsExactly(1, 2);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void knownRanksNeverChangeAndEveryLivingNodeIsKnown(long seed) {
        Random random = new Random(seed);
        boolean ranked = random.nextBoolean();
        List<NodeSnapshot> living = new ArrayList<>();
        List<NodeSnapshot> lost = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            living.add(node("n" + i, random.nextInt(9) * 3 + i, ranked ? i : null));
        }
        Cluster cluster = Cluster.of(3, List.of(), new ClusterSnapshot(List.copyOf(living), "n0"));
        Map<String, Integer> ranks = new HashMap<>();
        for (int step = 3; step < 120; step++) {
            int kind = random.nextInt(4);
            if (kind == 0 && living.size() > 1) {
                lost.add(living.remove(random.nextInt(living.size())));
            } else if (kind == 1 && !lost.isEmpty()) {
                // Ray gives a node that is started again another id.
                NodeSnapshot back = lost.remove(random.nextInt(lost.size()));
                living.add(NodeSnapshot.of("n" + step, back.ip(), 2, AcceleratorType.NV_GPU, "", null));
            } else if (kind == 2 && living.size() > 1) {
                lost.add(living.remove(random.nextInt(living.size())));
                living.add(node("n" + step, step * 10, ranked ? random.nextInt(5) : null));
            } else {
                living.add(node("n" + step, step * 10, null));
            }
            Collections.shuffle(living, random);
            ClusterSnapshot now = new ClusterSnapshot(living, living.get(0).nodeId());
            Cluster widened = cluster.widened(now);

            assertThat(widened.hasAll(now)).isTrue();
            for (NodeInfo node : widened.nodes()) {
                assertThat(widened.nodes().get(node.rank())).isEqualTo(node);
                assertThat(ranks.merge(node.ip(), node.rank(), (known, found) -> known))
                        .as("the rank of %s at step %d", node.ip(), step)
                        .isEqualTo(node.rank());
            }
            assertThat(widened.nodes()).hasSize(ranks.size());
            cluster = widened;
        }
        assertThat(ranks).hasSizeGreaterThan(30);
    }

    private static ClusterSnapshot snapshot(NodeSnapshot... nodes) {
        return new ClusterSnapshot(List.of(nodes), "a");
    }

    private static NodeSnapshot node(String id, int address, @Nullable Integer rank) {
        return NodeSnapshot.of(id, "10.0." + address / 250 + "." + address % 250, 1, AcceleratorType.NV_GPU, "", rank);
    }
}
