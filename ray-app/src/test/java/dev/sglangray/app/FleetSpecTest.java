/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.config.Config;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.strategy.PackedPlacementStrategy;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FleetSpecTest {
    private final FleetSpec spec = FleetSpec.of(Config.parse("""
            cluster: {num_nodes: 2, component_placement: {rollout: 0-3}}
            router_server_args:
              model_path: /model
              tensor_parallel_size: 2
              pipeline_parallel_size: 1
              server: {model_path: /model}
              router: {}
            """));
    private final Cluster cluster = spec.cluster(new ClusterSnapshot(List.of(node(0), node(1)), "node-0"));

    @Test
    void theComponentPlacesTheEngines() {
        assertThat(nodes(spec)).containsExactly("10.0.0.0", "10.0.0.0");
        assertThat(spec.selection()).isEqualTo(new FleetSelection("rollout", "router_server_args", false));
    }

    @Test
    void aDriverPlacesThemElsewhere() {
        FleetSpec onRanks =
                spec.withPlacement(new FleetSpec.EnginePlacement(List.of(), List.of(2, 3, 4, 5, 6, 7), null));
        assertThat(nodes(onRanks)).containsExactly("10.0.0.0", "10.0.0.1", "10.0.0.1");
        FleetSpec byStrategy = spec.withPlacement(
                new FleetSpec.EnginePlacement(List.of(), null, PackedPlacementStrategy.of(4, 7, 4, List.of())));
        assertThat(nodes(byStrategy)).containsExactly("10.0.0.1");
    }

    private List<String> nodes(FleetSpec fleet) {
        return SGLangLauncher.plan(fleet, cluster, LaunchOptions.DEFAULT).engines().stream()
                .map(engine -> engine.node().ip())
                .toList();
    }

    private static NodeSnapshot node(int rank) {
        return NodeSnapshot.of("node-" + rank, "10.0.0." + rank, 4, AcceleratorType.NV_GPU, "", rank);
    }
}
