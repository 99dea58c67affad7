/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** As many raylets and workers as two cores and 24 GiB carry: 8 nodes, 32 engines. By hand, with {@code -Dfailsafe.groups=scale}. */
@Tag("scale")
class LargeClusterIT {
    private static final int NODES = 8;
    private static final int ENGINES_OF_A_NODE = 5;
    private static final int ENGINES = 32;
    private static final Duration DEADLINE = Duration.ofMinutes(8);

    @Test
    void thirtyTwoEnginesOnEightNodes() {
        ClusterSpec spec = new ClusterSpec(
                PythonEnvironment.NEWEST_RAY,
                Collections.nCopies(NODES, StandIn.on(NodeSpec.gpus(ENGINES_OF_A_NODE))),
                Services.RAY);
        try (TestCluster cluster = TestCluster.start(spec)) {
            Cli cli = new Cli(cluster);
            took("launch", () -> {
                try (var up = cli.up(
                        StandIn.model(cluster, "{}"),
                        "--detach",
                        "cluster.num_nodes=" + NODES,
                        "cluster.component_placement.rollout=0-" + (ENGINES - 1),
                        "router_server_args.tensor_parallel_size=1",
                        "+router_server_args.supervision={node_loss_s: 3}")) {
                    up.await(DEADLINE).orFail();
                }
            });
            try (Cli.Ending end = cli.downAtEnd()) {
                took("status", () -> assertThat(ready(status(cli))).isEqualTo(ENGINES));
                // The engines of the lost node find room on the others.
                ClusterNode lost = cluster.nodes().get(NODES - 2);
                took("the loss of a node", () -> {
                    cluster.kill(ThreeNodesIT.raylet(cluster, lost));
                    awaitHealthy(cli, ENGINES);
                });
                cluster.startAgain(lost);
                took("scale to 35", () -> cli.run("scale", "--engines", "35").orFail());
                awaitHealthy(cli, 35);
                took("scale to 16", () -> cli.run("scale", "--engines", "16").orFail());
                awaitHealthy(cli, 16);
            }
            cluster.assertNothingLeft();
        }
    }

    private static void awaitHealthy(Cli cli, int engines) {
        Awaitility.await(engines + " engines").atMost(DEADLINE).untilAsserted(() -> {
            JsonNode status = status(cli);
            assertThat(status.path("verdict").asText()).isEqualTo("HEALTHY");
            assertThat(ready(status)).isEqualTo(engines);
        });
    }

    private static JsonNode status(Cli cli) {
        return Cli.json(cli.run("status", "--json").stdout());
    }

    private static int ready(JsonNode status) {
        int ready = 0;
        for (JsonNode worker : status.path("workers")) {
            if (worker.path("kind").asText().equals("server")
                    && worker.path("state").asText().equals("READY")) {
                ready++;
            }
        }
        return ready;
    }

    private static void took(String what, Runnable deed) {
        Instant begin = Instant.now();
        deed.run();
        System.out.printf(
                "%s: %.1f s%n", what, Duration.between(begin, Instant.now()).toMillis() / 1000.0);
    }
}
