/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.config.launcher.ServerType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A configuration shaped as in the guide, from file to typed records. */
class GuideExampleTest {
    private static final String SINGLE_NODE = """
            cluster:
              num_nodes: 1
              component_placement:
                rollout: all
            router_server_args:
              model_path: /models/m
              tensor_parallel_size: 2
              pipeline_parallel_size: 1
              group_name: Engines
              launch_server: True
              server:
                model_path: ${..model_path}
                tp_size: ${..tensor_parallel_size}
                pp_size: ${..pipeline_parallel_size}
                mem_fraction_static: 0.85
                attention_backend: triton
              router_group_name: Routers
              launch_router: True
              router:
                policy: cache_aware
                worker_startup_timeout_secs: 1800
            """;

    @TempDir
    Path folder;

    @Test
    void readsTheBlockOfTheLauncher() throws IOException {
        LauncherArgs args = LauncherArgs.from(load(List.of()).require("router_server_args"));

        assertThat(args.model()).contains("/models/m");
        assertThat(args.acceleratorsPerEngine()).hasValue(2);
        assertThat(args.serverType()).isEqualTo(ServerType.SRT);
        assertThat(args.groupName()).isEqualTo("Engines");
        assertThat(args.server().values())
                .containsExactly(
                        entry("model_path", "/models/m"),
                        entry("tp_size", 2),
                        entry("pp_size", 1),
                        entry("mem_fraction_static", 0.85),
                        entry("attention_backend", "triton"));
        assertThat(args.router().values())
                .containsExactly(entry("policy", "cache_aware"), entry("worker_startup_timeout_secs", 1800));
    }

    @Test
    void appliesOverrides() throws IOException {
        Config config = load(List.of(
                "router_server_args.tensor_parallel_size=4",
                "+router_server_args.server.log_level=info",
                "++router_server_args.router.policy=random",
                "~router_server_args.server.attention_backend"));

        LauncherArgs args = LauncherArgs.from(config.require("router_server_args"));
        assertThat(args.server().values())
                .containsEntry("tp_size", 4)
                .containsEntry("log_level", "info")
                .doesNotContainKey("attention_backend");
        assertThat(args.router().values()).containsEntry("policy", "random");
    }

    @Test
    void readsTheCluster() throws IOException {
        ClusterConfig cluster = ClusterConfig.from(load(List.of()));

        assertThat(cluster.numNodes()).isEqualTo(1);
        assertThat(cluster.nodeGroups()).isEmpty();
        assertThat(cluster.componentPlacement()).singleElement().satisfies(component -> {
            assertThat(component.name()).isEqualTo("rollout");
            assertThat(component.nodeGroups()).isEmpty();
            assertThat(component.placement().value()).isEqualTo("all");
            assertThat(component.position().line()).isEqualTo(4);
        });
    }

    private Config load(List<String> overrides) throws IOException {
        Path file = Files.writeString(folder.resolve("guide.yaml"), SINGLE_NODE);
        return ConfigLoader.builder().configFile(file).overrides(overrides).load();
    }
}
