/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.placement.PlacementException;
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

    private static FleetSpec withPools(String placement, String items) {
        return FleetSpec.of(Config.parse("""
                cluster: {num_nodes: 2, component_placement: {%s}}
                router_server_args:
                  tensor_parallel_size: 1
                  pipeline_parallel_size: 1
                  server: {model_path: /model}
                  router: {}
                  pools: [%s]
                """.formatted(placement, items)));
    }

    private List<String> places(FleetSpec fleet) {
        return SGLangLauncher.plan(fleet, cluster, LaunchOptions.DEFAULT).engines().stream()
                .map(engine -> engine.pool() + " " + engine.node().rank() + ":"
                        + engine.placement().localHardwareRanks())
                .toList();
    }

    @Test
    void poolsOfAComponentShareItsRanksInOrder() {
        FleetSpec shared = withPools(
                "rollout: 0-7",
                "{name: a, engines: 2}, {name: b, engines: 1, tensor_parallel_size: 2}, {name: c, tensor_parallel_size: 4}");
        assertThat(places(shared)).containsExactly("a 0:[0]", "a 0:[1]", "b 0:[2, 3]", "c 1:[0, 1, 2, 3]");
        FleetSpec left = withPools("rollout: 0-7", "{name: a, engines: 2}, {name: b, engines: 1}");
        assertThat(places(left)).as("the others stay free").hasSize(3);
        assertThat(left.component()).isEqualTo("rollout");
    }

    @Test
    void poolsMayHaveComponentsOfTheirOwn() {
        FleetSpec own = withPools(
                "x: 4-5, y: 0-1, z: 7",
                "{name: a, component: x}, {name: b, component: y}, {name: c, component: x, engines: 1}"
                        .replace("{name: a, component: x}", "{name: a, component: x, engines: 1}"));
        assertThat(places(own)).containsExactly("a 1:[0]", "b 0:[0]", "b 0:[1]", "c 1:[1]");
        assertThat(own.component()).isEmpty();
    }

    @Test
    void thePoolThatFindsNoRanksIsNamed() {
        FleetSpec tooMany = withPools("rollout: 0-1", "{name: a, engines: 2}, {name: b}");
        assertThatThrownBy(() -> places(tooMany))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining(
                        "pool b: asks for engines of 1 accelerator(s), and component 'rollout' has 0 rank(s) left");
        FleetSpec elsewhere = tooMany.withPlacement(new FleetSpec.EnginePlacement(List.of(), List.of(2, 3), null));
        assertThatThrownBy(() -> places(elsewhere))
                .hasMessageContaining("engines of several pools cannot be placed by one list");
    }

    @Test
    void aLaunchIsWithinTheBoundsOfItsAutoscaling() {
        String bounds = "{name: a, autoscaling: {min_engines: 2, max_engines: 4, target_ongoing_requests: 8}}";
        assertThat(places(withPools("rollout: 0-3", bounds))).hasSize(4);
        assertThatThrownBy(() -> places(withPools("rollout: 0-4", bounds)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("router_server_args.pools[0].autoscaling.max_engines")
                .hasMessageContaining("is 4, but pool 'a' is launched with 5 engine(s)");
        assertThatThrownBy(() -> places(withPools("rollout: 0", bounds)))
                .hasMessageContaining("autoscaling.min_engines");
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
