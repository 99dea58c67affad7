/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.strategy.ComponentPlacement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Node groups by Ray's labels and resources. */
class LabelSelectorTest {
    /** Four nodes: h100 in zone a (spot), h200 in zone a, h100 in zone b with a resource, one without labels. */
    private static final List<NodeSnapshot> NODES = List.of(
            node(1, Map.of("gpu", "h100", "zone", "a", "spot", "true"), Map.of("GPU", 1.0)),
            node(2, Map.of("gpu", "h200", "zone", "a"), Map.of("GPU", 1.0)),
            node(3, Map.of("gpu", "h100", "zone", "b", "ray.io/x", "1"), Map.of("GPU", 1.0, "rollout", 1.0)),
            node(4, Map.of(), Map.of("GPU", 1.0, "rollout", 2.0)));

    private static NodeSnapshot node(int index, Map<String, String> labels, Map<String, Double> resources) {
        return RayNodeDescription.snapshot("n" + index, "10.0.0." + index, "", labels, resources);
    }

    private static Cluster cluster(String nodeRanks) {
        Config config = Config.parse("""
                cluster:
                  num_nodes: 4
                  component_placement: {}
                  node_groups: [{label: g, node_ranks: %s}]
                """.formatted(nodeRanks), Map.of());
        return Cluster.of(ClusterConfig.from(config), new ClusterSnapshot(NODES, "n1"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    {ray_labels: {gpu: h100}}                               | 0,2
                    {ray_labels: {gpu: [h100, h200], zone: a}}              | 0,1
                    {ray_labels: {gpu: 'in(h100, h300)', zone: '!a'}}       | 2
                    {ray_labels: {gpu: '!in(h200)'}}                        | 0,2,3
                    {ray_labels: 'gpu in (h100,h200), zone==a'}             | 0,1
                    {ray_labels: 'gpu notin (h200), zone!=b'}               | 0,3
                    {ray_labels: 'gpu, !spot'}                              | 1,2
                    {ray_labels: 'ray.io/x=1'}                              | 2
                    {ray_labels: {spot: true}}                              | 0
                    {ray_resource: rollout}                                 | 2,3
                    {ray_resource: rollout, ray_labels: gpu}                | 2
                    """)
    void choosesNodes(String nodeRanks, String expected) {
        List<String> ranks = new ArrayList<>();
        cluster(nodeRanks).nodeGroup("g").orElseThrow().nodeRanks().forEach(rank -> ranks.add(rank.toString()));
        assertThat(String.join(",", ranks)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{ray_labels: ''}",
                "{ray_labels: {}}",
                "{ray_labels: 'gpu in ()'}",
                "{ray_labels: 'gpu in (a'}",
                "{ray_labels: 'a = b = c'}",
                "{ray_labels: {gpu: null}}",
                "{ray_labels: {gpu: []}}",
                "{ray_labels: [gpu]}",
                "{labels: {gpu: a}}",
                "{ray_resource: ''}",
                "{}"
            })
    void refusesWhatCannotBeRead(String nodeRanks) {
        assertThatThrownBy(() -> cluster(nodeRanks))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("node group \"g\"")
                .hasMessageContaining("<text>:4");
    }

    @Test
    void aGroupWithoutNodesIsToldAndExplained() {
        Cluster cluster = cluster("{ray_labels: 'gpu in (b200, b300), zone'}");
        assertThat(cluster.warnings())
                .containsExactly("node group \"g\" has no nodes: none has ray_labels gpu in (b200, b300), zone");
        assertThatThrownBy(() -> cluster.requireNodeGroups(List.of("g"), "rollout"))
                .hasMessageContaining("no node has the node group label \"g\"")
                .hasMessageContaining("none has ray_labels gpu in (b200, b300), zone");
    }

    @Test
    void groupsFollowTheCluster() {
        Config config = Config.parse("""
                cluster:
                  num_nodes: 2
                  component_placement: {rollout: {node_group: g, placement: all}}
                  node_groups: [{label: g, node_ranks: {ray_labels: gpu=h100}}]
                """, Map.of());
        ClusterConfig section = ClusterConfig.from(config);
        ClusterSnapshot before = new ClusterSnapshot(NODES.subList(0, 2), "n1");
        ClusterSnapshot after = new ClusterSnapshot(List.of(NODES.get(0), NODES.get(2)), "n1");
        assertThat(ranks(section, before)).containsExactly(0);
        assertThat(ranks(section, after)).containsExactly(0, 1);
    }

    private static List<Integer> ranks(ClusterConfig section, ClusterSnapshot snapshot) {
        return ComponentPlacement.of(section, Cluster.of(section, snapshot)).getHardwareRanks("rollout");
    }
}
