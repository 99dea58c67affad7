/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is wrong with a configuration is said before any actor is created. */
@OnCluster
@Tag("fault")
class ConfigurationFaultsIT {

    private static final int USAGE = 2;

    private final TestCluster cluster;
    private int actorsBefore;

    ConfigurationFaultsIT(TestCluster cluster) {
        this.cluster = cluster;
    }

    @BeforeEach
    void countActors() {
        actorsBefore = cluster.actors().size();
    }

    @AfterEach
    void noActorWasCreated() {
        assertThat(cluster.actors()).hasSize(actorsBefore);
    }

    @Test
    void unknownKeysOfServerAndRouterAreNamedTogetherWithTheNearest() {
        refused(
                "fleet.yaml",
                List.of("mem_fraction_statik", "mem_fraction_static", "polcy", "policy"),
                "+router_server_args.server.mem_fraction_statik=0.8",
                "+router_server_args.router.polcy=random");
    }

    @Test
    void aWrongValueIsNamedWithItsPosition() throws IOException {
        Path config = Files.createTempFile(cluster.logs(), "wrong-", ".yaml");
        Files.writeString(
                config,
                Files.readString(Cli.config("fleet.yaml"))
                        .replace("max_running_requests: 64", "max_running_requests: many"));
        long line = 1
                + Files.readAllLines(config).stream()
                        .takeWhile(text -> !text.contains("many"))
                        .count();
        refused(config, List.of("max_running_requests", "many", config.getFileName() + ":" + line));
    }

    @Test
    void moreAcceleratorsThanExist() {
        refused("fleet.yaml", List.of("8", "4"), "router_server_args.tensor_parallel_size=8");
    }

    @Test
    void ranksThatTheClusterDoesNotHave() {
        refused("fleet.yaml", List.of("rollout", "7"), "cluster.component_placement.rollout=0-7");
    }

    @Test
    void ranksThatAreNotContiguous() {
        refused(
                "fleet.yaml",
                List.of("contiguous"),
                "cluster.component_placement.rollout='0,2'",
                "router_server_args.tensor_parallel_size=1");
    }

    @Test
    void aLabelThatNoNodeHas() {
        refused(
                "node_groups.yaml",
                List.of("rollout_gpo", "rollout_gpu"),
                "cluster.component_placement.rollout.node_group=rollout_gpo");
    }

    @Test
    void moreNodesThanTheClusterHas() {
        refused("fleet.yaml", List.of("num_nodes", "3", "2"), "cluster.num_nodes=3");
    }

    @Test
    void aFileThatIsNotThere() {
        refused(cluster.logs().resolve("absent.yaml"), List.of("absent.yaml"));
    }

    @Test
    void aFileThatIsNotYaml() throws IOException {
        Path config = Files.createTempFile(cluster.logs(), "broken-", ".yaml");
        Files.writeString(config, "cluster:\n  num_nodes: [1\nrouter_server_args: {}\n");
        refused(config, List.of(config.getFileName().toString()));
    }

    private void refused(String config, List<String> words, String... overrides) {
        refused(Cli.config(config), words, overrides);
    }

    private void refused(Path config, List<String> words, String... overrides) {
        ExitResult result = new Cli(cluster).run(Cli.upWords(config, StandIn.model(cluster, "{}"), overrides));
        assertThat(result.code()).as(result.toString()).isEqualTo(USAGE);
        assertThat(result.stderr()).contains(words).doesNotContain("\tat ");
    }
}
