/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.Clusters;
import dev.sglangray.placement.PlacementException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ClusterTest {
    @Test
    void ranksNodesAsTheyWereStarted() {
        ClusterSnapshot snapshot = new ClusterSnapshot(List.of(Clusters.node(0, 8, 1), Clusters.node(1, 8, 0)), "id0");
        assertThat(Cluster.of(2, List.of(), snapshot).nodes())
                .extracting(node -> node.snapshot().nodeId())
                .containsExactly("id1", "id0");
    }

    @Test
    void withoutRanksTheDriversNodeIsFirstThenKindsThenAddresses() {
        ClusterSnapshot snapshot = new ClusterSnapshot(
                List.of(
                        Clusters.node(10, 0, null),
                        Clusters.node(2, 8, null),
                        Clusters.node(1, 8, null),
                        Clusters.node(0, 0, null)),
                "id1");
        assertThat(Cluster.of(4, List.of(), snapshot).nodes())
                .extracting(NodeInfo::ip)
                .containsExactly("10.0.0.2", "10.0.0.1", "10.0.0.11", "10.0.0.3");
    }

    @Test
    void aSingleNodeHasRankZeroWhateverItWasGiven() {
        ClusterSnapshot snapshot = new ClusterSnapshot(List.of(Clusters.node(0, 1, 7)), "id0");
        assertThat(Cluster.of(1, List.of(), snapshot).node(0).ip()).isEqualTo("10.0.0.1");
    }

    @Test
    void leavesFurtherNodesOutWithAWarning() {
        Cluster cluster = Cluster.of(1, List.of(), Clusters.ranked(2, 2));
        assertThat(cluster.nodes()).hasSize(1);
        assertThat(cluster.warnings()).singleElement().asString().contains("only the first 1 are used");
    }

    @Test
    void refusesRanksThatDoNotFit() {
        assertThatThrownBy(() -> cluster(2, Clusters.node(0, 1, 0), Clusters.node(1, 1, null)))
                .hasMessageContaining("only 1 of 2 are");
        assertThatThrownBy(() -> cluster(2, Clusters.node(0, 1, 0), Clusters.node(1, 1, 2)))
                .hasMessageContaining("rank 2");
        assertThatThrownBy(() -> cluster(2, Clusters.node(0, 1, 0), Clusters.node(1, 1, 0)))
                .hasMessageContaining("rank 0 was given twice");
        assertThatThrownBy(() -> cluster(1, Clusters.node(0, 1, 1), Clusters.node(1, 1, 0)))
                .hasMessageContaining("driver's own node has rank 1");
        assertThatThrownBy(() -> cluster(3, Clusters.node(0, 1, 1), Clusters.node(1, 1, 0)))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("cluster.num_nodes is 3, but the Ray cluster has 2 living nodes")
                .hasMessageContaining("10.0.0.2");
    }

    private static Cluster cluster(int numNodes, NodeSnapshot... nodes) {
        return Cluster.of(numNodes, List.of(), new ClusterSnapshot(List.of(nodes), "id0"));
    }

    @Test
    void groupsByRankNeedRanks() {
        NodeGroupDefinition group = group("a", new NodeSelector.Ranks(Set.of(0)));
        ClusterSnapshot snapshot =
                new ClusterSnapshot(List.of(Clusters.node(0, 1, null), Clusters.node(1, 1, null)), "id0");
        assertThatThrownBy(() -> Cluster.of(2, List.of(group), snapshot)).hasMessageContaining("node_rank:N");
        assertThatThrownBy(() -> Cluster.of(2, List.of(group, group), Clusters.ranked(1, 1)))
                .hasMessageContaining("given to more than one node group");
    }

    @Test
    void groupsByWhatNodesWereStartedWithNeedNoRanks() {
        NodeSnapshot labelled = new NodeSnapshot(
                "id0",
                "10.0.0.1",
                "a",
                Map.of("zone", "x", "gpu", "h100"),
                Map.of(),
                4,
                AcceleratorType.NV_GPU,
                "",
                null);
        NodeSnapshot custom = new NodeSnapshot(
                "id1", "10.0.0.2", "b", Map.of(), Map.of("rollout", 1.0), 4, AcceleratorType.NV_GPU, "", null);
        Cluster cluster = Cluster.of(
                2,
                List.of(
                        group("labelled", NodeSelector.rayLabels(Map.of("gpu", "h100"))),
                        group("custom", new NodeSelector.RayResource("rollout")),
                        group("nobody", NodeSelector.rayLabels(Map.of("gpu", "a100")))),
                new ClusterSnapshot(List.of(labelled, custom), "id0"));
        assertThat(cluster.nodeGroup("labelled").orElseThrow().nodeRanks()).containsExactly(0);
        assertThat(cluster.nodeGroup("custom").orElseThrow().nodeRanks()).containsExactly(1);
        assertThat(cluster.nodeGroup("nobody")).isEmpty();
        assertThat(cluster.node(1).labels()).containsExactly("custom");
    }

    @Test
    void readsSelectorsFromTheConfiguration() {
        Cluster cluster = Clusters.configured("""
                cluster:
                  num_nodes: 2
                  component_placement: {}
                  node_groups:
                    - label: chosen
                      node_ranks: {ray_resource: missing}
                    - label: second
                      node_ranks: 1
                """, 1, 1);
        assertThat(cluster.nodeGroups()).extracting(NodeGroupInfo::label).containsExactly("second", "cluster", "node");
        assertThatThrownBy(() -> Clusters.configured("""
                        cluster:
                          num_nodes: 1
                          component_placement: {}
                          node_groups: [{label: a, node_ranks: {ray_label: x}}]
                        """, 1)).hasMessageContaining("ray_labels");
    }

    private static NodeGroupDefinition group(String label, NodeSelector nodes) {
        return new NodeGroupDefinition(label, nodes, null, Map.of(), false, List.of());
    }
}
