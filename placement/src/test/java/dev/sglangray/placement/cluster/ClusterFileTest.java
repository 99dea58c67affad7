/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClusterFileTest {
    private static ClusterSnapshot read(String yaml) {
        return ClusterFile.read(Config.parse(yaml, Map.of()));
    }

    @Test
    void readsNodesByTheirResourcesOrByShortFields() {
        ClusterSnapshot snapshot = read("""
                head: 10.0.0.2
                nodes:
                  - ip: 10.0.0.1
                    id: first
                    hostname: a
                    resources: {CPU: 16, GPU: 4, "accelerator_type:H100": 1, "node_rank:0": 1}
                    labels: {ray.io/zone: z}
                  - {ip: 10.0.0.2, rank: 1, accelerators: 8, accelerator_type: NPU, accelerator_model: 910B}
                """);
        assertThat(snapshot.headNodeId()).isEqualTo("node-10.0.0.2");
        assertThat(snapshot.nodes().get(0))
                .isEqualTo(new NodeSnapshot(
                        "first",
                        "10.0.0.1",
                        "a",
                        Map.of("ray.io/zone", "z"),
                        Map.of(
                                "CPU",
                                16.0,
                                "GPU",
                                4.0,
                                "accelerator_type:H100",
                                1.0,
                                "node_rank:0",
                                1.0,
                                "node:10.0.0.1",
                                1.0),
                        4,
                        AcceleratorType.NV_GPU,
                        "H100",
                        0));
        NodeSnapshot second = snapshot.nodes().get(1);
        assertThat(second.accelerators()).isEqualTo(8);
        assertThat(second.acceleratorType()).isEqualTo(AcceleratorType.NPU);
        assertThat(second.acceleratorModel()).isEqualTo("910B");
        assertThat(second.envNodeRank()).isEqualTo(1);
        assertThat(second.resources()).containsEntry("NPU", 8.0);
    }

    @Test
    void countsUpNodesThatAreAlike() {
        ClusterSnapshot snapshot = read("nodes: [{ip: 10.0.0.254, hostname: gpu, rank: 0, count: 3, accelerators: 8}]");
        assertThat(snapshot.nodes())
                .extracting(NodeSnapshot::ip)
                .containsExactly("10.0.0.254", "10.0.0.255", "10.0.1.0");
        assertThat(snapshot.nodes()).extracting(NodeSnapshot::envNodeRank).containsExactly(0, 1, 2);
        assertThat(snapshot.nodes()).extracting(NodeSnapshot::hostname).containsExactly("gpu-0", "gpu-1", "gpu-2");
        assertThat(snapshot.headNodeId()).isEqualTo("node-10.0.0.254");
    }

    @Test
    void whatIsWrittenIsReadAgain(@TempDir Path folder) throws IOException {
        ClusterSnapshot cluster = new ClusterSnapshot(
                List.of(
                        RayNodeDescription.snapshot(
                                "n1",
                                "10.0.0.1",
                                "h",
                                Map.of("a", "1", "b", "true"),
                                Map.of("GPU", 2.0, "node:10.0.0.1", 1.0)),
                        RayNodeDescription.snapshot(
                                "n2",
                                "10.0.0.2",
                                "",
                                Map.of(),
                                Map.of("GPU", 1.0, "accelerator_type:AMD-Instinct", 1.0, "node:10.0.0.2", 1.0))),
                "n2");
        Path file = Files.writeString(folder.resolve("cluster.yaml"), ClusterFile.write(cluster));
        ClusterSnapshot again = ClusterFile.read(file);
        assertThat(again).isEqualTo(cluster);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    nodes: []                                                      | at least one node
                    hello: 1                                                       | unknown key 'hello'
                    nodes: [{ip: a, acelerators: 2}]                               | did you mean 'accelerators'?
                    nodes: [{hostname: a}]                                         | nodes[0].ip
                    nodes: [{ip: a}, {ip: a}]                                      | belongs to an earlier node
                    nodes: [{ip: '::1', count: 2}]                                 | needs an IPv4 address
                    nodes: [{ip: 1.1.1.1, id: x, count: 2}]                        | cannot have one id
                    nodes: [{ip: a, accelerators: -1}]                             | must be from 0
                    nodes: [{ip: a, accelerator_type: NV}]                         | NV_GPU
                    nodes: [{ip: a, resources: {'node_rank:x': 1}}]                | must be a whole number
                    {head: b, nodes: [{ip: a}]}                                    | no node has the address b
                    nodes: [3]                                                     | must be a map
                    """)
    void refusesWithThePlace(String yaml, String part) {
        assertThatThrownBy(() -> read(yaml))
                .isInstanceOf(ConfigException.class)
                .extracting(failure -> ((ConfigException) failure).render())
                .asString()
                .contains(part, "<text>:1");
    }

    @Test
    void describesTenThousandNodesInOneLine() {
        assertThat(read("nodes: [{ip: 10.0.0.0, count: 10000, accelerators: 10}]")
                        .nodes())
                .hasSize(10_000)
                .last()
                .extracting(NodeSnapshot::ip)
                .isEqualTo("10.0.39.15");
    }
}
