/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Fleets of other shapes than the usual one. */
@OnCluster
@Tag("ray")
class ShapesIT {

    @Test
    void aRouterAlone(TestCluster cluster) {
        try (InsideProcess up = up(cluster, "fleet.yaml", "router_server_args.launch_server=false")) {
            JsonNode report = Cli.awaitReport(up);
            assertThat(report.path("workers").findValuesAsText("kind")).containsExactly("router");
            assertThat(report.path("registered")).isEmpty();
            assertThat(cluster.get(report.path("api_url").asText() + "/health")
                            .path("status")
                            .asInt())
                    .isEqualTo(200);
            end(up);
        }
    }

    @Test
    void enginesAlone(TestCluster cluster) {
        try (InsideProcess up = up(cluster, "fleet.yaml", "router_server_args.launch_router=false")) {
            JsonNode report = Cli.awaitReport(up);
            assertThat(report.path("workers").findValuesAsText("kind")).containsExactly("server", "server");
            assertThat(report.path("api_url").asText())
                    .as("the first engine's, where there is no router")
                    .isEqualTo(report.path("workers").path(0).path("url").asText());
            end(up);
        }
    }

    @Test
    void enginesOnAListOfNodeGroups(TestCluster cluster) {
        try (InsideProcess up = up(cluster, "node_groups.yaml")) {
            List<JsonNode> engines = FleetContract.askEach(
                    cluster, Cli.awaitReport(up).path("api_url").asText(), 4);
            assertThat(engines)
                    .extracting(engine -> engine.path("host_name").asText() + " "
                            + engine.at("/environment/CUDA_VISIBLE_DEVICES").asText())
                    .containsExactly("node-a 0", "node-a 1", "node-b 0", "node-b 1");
            assertThat(engines)
                    .extracting(engine -> engine.at("/environment/FROM_GROUP").asText(""))
                    .as("the environment of the second node's group")
                    .containsExactly("", "", "one", "one");
            end(up);
        }
    }

    @Test
    void anExplicitPlacement(TestCluster cluster) {
        try (InsideProcess up = up(
                cluster,
                "fleet.yaml",
                "--explicit-placement",
                "--router-node-rank",
                "1",
                "cluster.component_placement.rollout='0:0,3:1'",
                "router_server_args.tensor_parallel_size=1")) {
            JsonNode report = Cli.awaitReport(up);
            assertThat(report.path("api_url").asText()).startsWith("http://10.9.0.2:");
            assertThat(FleetContract.askEach(cluster, report.path("api_url").asText(), 2))
                    .as("one accelerator each; which one of a node's free ones is Ray's to say")
                    .extracting(engine -> engine.path("host_name").asText() + " "
                            + engine.at("/environment/CUDA_VISIBLE_DEVICES").asText())
                    .satisfiesExactly(
                            first -> assertThat(first).matches("node-a [01]"),
                            second -> assertThat(second).matches("node-b [01]"));
            end(up);
        }
    }

    private static InsideProcess up(TestCluster cluster, String config, String... more) {
        Path model = StandIn.model(cluster, "{}");
        return new Cli(cluster).start(Cli.upWords(Cli.config(config), model, more, "--json"));
    }

    private static void end(InsideProcess up) {
        up.signalGroup("INT");
        assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
    }
}
