/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Nodes of a fleet are lost: its engines move where there is room, and wait where there is none. */
@Tag("fault")
class NodeLossIT {
    private static final double REQUESTS_PER_SECOND = 20;

    @Test
    void enginesOfALostNodeMoveOrWait() {
        try (TestCluster cluster = TestCluster.start(new ClusterSpec(
                PythonEnvironment.NEWEST_RAY,
                List.of(StandIn.on(NodeSpec.gpus(0)), StandIn.on(NodeSpec.gpus(1)), StandIn.on(NodeSpec.gpus(2))),
                Services.RAY))) {
            Cli cli = new Cli(cluster);
            try (InsideProcess up = cli.up(
                    StandIn.model(cluster, "{}"),
                    "cluster.num_nodes=3",
                    "cluster.component_placement.rollout=0-1",
                    "router_server_args.tensor_parallel_size=1",
                    "+router_server_args.supervision={node_loss_s: 3}")) {
                String url = Cli.awaitReport(up).path("api_url").asText();
                assertThat(nodes(cli)).isEqualTo(Map.of(0, "10.9.0.2", 1, "10.9.0.3"));
                ClusterNode small = cluster.nodes().get(1);
                ClusterNode large = cluster.nodes().get(2);
                try (SteadyLoad load = new SteadyLoad(cluster, url, REQUESTS_PER_SECOND)) {
                    cluster.kill(ThreeNodesIT.raylet(cluster, small));
                    awaitHealthyOn(cli, Map.of(0, "10.9.0.3", 1, "10.9.0.3"));
                    assertThat(cli.run("events").orFail().stdout())
                            .contains("node 10.9.0.2 is gone: engine 0 serves on 10.9.0.3 instead");
                    load.refresh();
                    assertThat(SteadyLoad.failures(load.between(0, Double.MAX_VALUE)))
                            .as("the router tries another engine")
                            .isEmpty();
                }

                // Its bundle is the fleet's still: one of the two engines that are lost now goes back there.
                cluster.startAgain(small);
                cluster.kill(ThreeNodesIT.raylet(cluster, large));
                Awaitility.await("one engine moves back, one waits")
                        .atMost(Cli.DEADLINE)
                        .untilAsserted(() -> {
                            JsonNode status = status(cli);
                            assertThat(status.path("verdict").asText()).isEqualTo("DEGRADED");
                            assertThat(nodes(status)).containsValue("10.9.0.2");
                        });
                assertThat(cli.run("events").orFail().stdout()).contains("there is no room for engine");
                assertThat(cli.run("generate", "hello").orFail().stdout()).contains("hello");

                cluster.startAgain(large);
                Awaitility.await("all are back").atMost(Cli.DEADLINE).untilAsserted(() -> {
                    JsonNode status = status(cli);
                    assertThat(status.path("verdict").asText()).isEqualTo("HEALTHY");
                    assertThat(nodes(status).values()).containsExactlyInAnyOrder("10.9.0.2", "10.9.0.3");
                });
                assertThat(status(cli).path("api_url").asText()).isEqualTo(url);

                up.signalGroup("INT");
                assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
            }
            cluster.assertNothingLeft();
        }
    }

    private static void awaitHealthyOn(Cli cli, Map<Integer, String> nodes) {
        Awaitility.await("healthy on " + nodes).atMost(Cli.DEADLINE).untilAsserted(() -> {
            JsonNode status = status(cli);
            assertThat(status.path("verdict").asText()).isEqualTo("HEALTHY");
            assertThat(nodes(status)).isEqualTo(nodes);
        });
    }

    private static JsonNode status(Cli cli) {
        return Cli.json(cli.run("status", "--json").stdout());
    }

    private static Map<Integer, String> nodes(Cli cli) {
        return nodes(status(cli));
    }

    private static Map<Integer, String> nodes(JsonNode status) {
        Map<Integer, String> nodes = new TreeMap<>();
        status.path("workers").forEach(worker -> {
            if (worker.path("kind").asText().equals("server")
                    && worker.path("state").asText().equals("READY")) {
                nodes.put(worker.path("rank").asInt(), worker.path("nodeIp").asText());
            }
        });
        return nodes;
    }
}
