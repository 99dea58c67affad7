/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import io.ray.api.runtimecontext.NodeInfo;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RayClusterReaderTest {
    private static NodeSnapshot read(Map<String, Double> resources, Map<String, String> labels) {
        return RayClusterReader.snapshot(List.of(RayNodes.node(0, true, resources, labels)), null, asked -> Map.of())
                .nodes()
                .get(0);
    }

    @Test
    void readsLivingNodesInRaysOrder() {
        ClusterSnapshot snapshot = RayClusterReader.snapshot(
                List.of(
                        RayNodes.node(2, true, Map.of("GPU", 8.0, "accelerator_type:H100", 1.0), Map.of("a", "b")),
                        RayNodes.node(1, false, Map.of(), Map.of()),
                        RayNodes.node(0, true, Map.of("CPU", 4.0), Map.of())),
                RayNodes.id(0),
                asked -> Map.of());
        assertThat(snapshot.nodes()).extracting(NodeSnapshot::ip).containsExactly("10.0.0.3", "10.0.0.1");
        assertThat(snapshot.headNodeId()).isEqualTo(RayNodes.id(0).toString());
        NodeSnapshot first = snapshot.nodes().get(0);
        assertThat(first.accelerators()).isEqualTo(8);
        assertThat(first.acceleratorModel()).isEqualTo("H100");
        assertThat(first.hostname()).isEqualTo("host2");
        assertThat(first.labels()).containsEntry("a", "b");
        assertThat(first.envNodeRank()).isNull();
        assertThat(snapshot.nodes().get(1).acceleratorType()).isEqualTo(AcceleratorType.NO_ACCEL);
    }

    @Test
    void theHeadIsRaysWhenTheDriversNodeIsUnknown() {
        ClusterSnapshot snapshot = RayClusterReader.snapshot(
                List.of(
                        RayNodes.node(0, true, Map.of(), Map.of()),
                        RayNodes.node(1, true, Map.of("node:__internal_head__", 1.0), Map.of())),
                RayNodes.id(7),
                asked -> Map.of());
        assertThat(snapshot.headNodeId()).isEqualTo(RayNodes.id(1).toString());
    }

    @ParameterizedTest
    @CsvSource({
        "GPU, H100, NV_GPU",
        "GPU, AMD-Instinct-MI300X-OAM, AMD_GPU",
        "GPU, Intel-GPU-Max-1550, INTEL_GPU",
        "NPU, Ascend910B, NPU",
        "MUSA_GPU, S4000, MUSA_GPU",
        "KUNLUN_XPU, P800, KUNLUN_XPU"
    })
    void knowsTheKinds(String resource, String model, AcceleratorType type) {
        NodeSnapshot node = read(Map.of(resource, 2.0, "accelerator_type:" + model, 1.0), Map.of());
        assertThat(node.acceleratorType()).isEqualTo(type);
        assertThat(node.acceleratorModel()).isEqualTo(model);
        assertThat(node.accelerators()).isEqualTo(2);
    }

    @Test
    void theModelMayBeALabel() {
        assertThat(read(Map.of("GPU", 1.0), Map.of("ray.io/accelerator-type", "L4"))
                        .acceleratorModel())
                .isEqualTo("L4");
    }

    @Test
    void readsRanksFromResourcesAndLabels() {
        assertThat(read(Map.of("node_rank:3", 1.0), Map.of()).envNodeRank()).isEqualTo(3);
        assertThat(read(Map.of(), Map.of("sglang_ray.node_rank", "2")).envNodeRank())
                .isEqualTo(2);
        assertThat(read(Map.of("node_rank:2", 1.0), Map.of("sglang_ray.node_rank", "2"))
                        .envNodeRank())
                .isEqualTo(2);
        assertThatThrownBy(() -> read(Map.of("node_rank:1", 1.0, "node_rank:2", 1.0), Map.of()))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("several ranks: 1, 2");
        assertThatThrownBy(() -> read(Map.of("node_rank:x", 1.0), Map.of()))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("\"x\"");
    }

    private static final List<NodeInfo> THREE = List.of(
            RayNodes.node(0, true, Map.of(), Map.of()),
            RayNodes.node(1, true, Map.of(), Map.of()),
            RayNodes.node(2, false, Map.of(), Map.of()));

    @Test
    void withoutDeclaredRanksTheLivingNodesAreAskedForTheirVariable() {
        ClusterSnapshot snapshot = RayClusterReader.snapshot(THREE, RayNodes.id(0), asked -> {
            assertThat(asked).containsExactly(THREE.get(0), THREE.get(1));
            return Map.of(RayNodes.id(0).toString(), "1", RayNodes.id(1).toString(), " 0 ");
        });
        assertThat(snapshot.nodes()).extracting(NodeSnapshot::envNodeRank).containsExactly(1, 0);

        assertThatThrownBy(() -> RayClusterReader.snapshot(
                        THREE, RayNodes.id(0), asked -> Map.of(RayNodes.id(1).toString(), "one")))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("node 10.0.0.2 (its variable RLINF_NODE_RANK)")
                .hasMessageContaining("\"one\"");
    }

    @Test
    void noNodeIsAskedWhenThereIsOneOrRanksAreDeclared() {
        Function<List<NodeInfo>, Map<String, String>> never = asked -> {
            throw new AssertionError("asked " + asked);
        };
        NodeInfo declared = RayNodes.node(3, true, Map.of("node_rank:0", 1.0), Map.of());
        ClusterSnapshot some = RayClusterReader.snapshot(List.of(THREE.get(0), declared), RayNodes.id(0), never);
        assertThat(some.nodes()).extracting(NodeSnapshot::envNodeRank).containsExactly(null, 0);
        ClusterSnapshot one = RayClusterReader.snapshot(List.of(THREE.get(0)), RayNodes.id(0), never);
        assertThat(one.nodes()).extracting(NodeSnapshot::envNodeRank).containsOnlyNulls();
    }
}
