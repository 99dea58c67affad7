/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.ProcessRow;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.drivers.LeavingNodeDriver;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Groups of unlike nodes: chosen by labels and by a resource, planned live and from a file; and a node that leaves. */
@Tag("ray")
class ThreeNodesIT {

    private static TestCluster start() {
        return TestCluster.start(new ClusterSpec(
                PythonEnvironment.NEWEST_RAY,
                List.of(
                        StandIn.on(NodeSpec.gpus(1)),
                        StandIn.on(NodeSpec.gpus(2).withLabel("gpu", "h100")),
                        StandIn.on(NodeSpec.gpus(4).withResource("large", 1))),
                Services.RAY));
    }

    @Test
    void plansGroupsLiveAndFromAFileAndNoticesANodeThatLeft() throws IOException {
        try (TestCluster cluster = start()) {
            String config = Cli.config("labels.yaml").toString();
            String model = "router_server_args.model_path=" + StandIn.model(cluster, "{}");
            Cli cli = new Cli(cluster);
            JsonNode live = Cli.parse(
                    cli.run("plan", "--json", "-c", config, model).orFail().stdout());
            assertThat(list(live, "/node_ip")).containsExactly("10.9.0.2", "10.9.0.3", "10.9.0.3");
            assertThat(list(live, "/node_group")).containsExactly("small", "large", "large");
            assertThat(list(live, "/environment/LOCAL_HARDWARE_RANKS")).containsExactly("0,1", "0,1", "2,3");

            Path file = cluster.logs().resolve("cluster.yaml");
            Files.writeString(file, cli.run("cluster").orFail().stdout());
            Cli offline = new Cli(cluster, cluster.head(), Map.of("PATH", System.getenv("PATH")));
            JsonNode fromFile =
                    Cli.parse(offline.run("plan", "--json", "--cluster", file.toString(), "-c", config, model)
                            .orFail()
                            .stdout());
            assertThat(fromFile.path("engines").findValuesAsText("actor"))
                    .isEqualTo(live.path("engines").findValuesAsText("actor"));
            assertThat(fromFile.path("nodes")).isEqualTo(live.path("nodes"));
            assertThat(fromFile.path("bundles")).isEqualTo(live.path("bundles"));

            try (InsideProcess driver = new Driver(cluster, LeavingNodeDriver.class).start(Path.of(config), model)) {
                driver.awaitOutput("planned", Cli.DEADLINE);
                cluster.kill(raylet(cluster, cluster.nodes().get(2)));
                driver.awaitOutput("refused", Cli.DEADLINE);
                assertThat(driver.stdout()).contains("10.9.0.3", "the node, which is not alive");
            }
        }
    }

    private static List<String> list(JsonNode plan, String field) {
        List<String> values = new ArrayList<>();
        plan.path("engines").forEach(engine -> values.add(engine.at(field).asText()));
        return values;
    }

    private static ProcessRow raylet(TestCluster cluster, ClusterNode node) {
        return cluster.onNode(node).stream()
                .filter(row -> row.command().contains("/raylet/raylet "))
                .findFirst()
                .orElseThrow();
    }
}
