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
                        StandIn.on(NodeSpec.gpus(0).withResource("NPU", 2)),
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

            launchesOverUnlikeNodes(cluster, cli, config, model);

            try (InsideProcess driver = new Driver(cluster, LeavingNodeDriver.class).start(Path.of(config), model)) {
                driver.awaitOutput("planned", Cli.DEADLINE);
                cluster.kill(raylet(cluster, cluster.nodes().get(2)));
                driver.awaitOutput("refused", Cli.DEADLINE);
                assertThat(driver.stdout()).contains("10.9.0.3", "the node, which is not alive");
            }
        }
    }

    /** The same groups again, and engines on NPUs, which take CPUs and memory of their bundles too. */
    private static void launchesOverUnlikeNodes(TestCluster cluster, Cli cli, String config, String model) {
        String[] overrides = {
            "up",
            "--detach",
            "--json",
            "-c",
            config,
            model,
            "cluster.component_placement.rollout={node_group: [npus, small, large], placement: all}",
            "+router_server_args.placement_group.engine_resources={CPU: 2, memory: 1.0e8}",
            "cluster.node_groups=[{label: npus, node_ranks: {ray_resource: NPU}},"
                    + "{label: small, node_ranks: {ray_labels: gpu}},"
                    + "{label: large, node_ranks: {ray_resource: large}}]"
        };
        try (Cli.Ending down = cli.downAtEnd()) {
            JsonNode report = Cli.json(cli.run(overrides).orFail().stdout());
            List<String> nodes = new ArrayList<>();
            report.path("workers").forEach(worker -> {
                if (worker.path("kind").asText().equals("server")) {
                    nodes.add(worker.path("nodeIp").asText());
                }
            });
            assertThat(nodes).containsExactly("10.9.0.1", "10.9.0.2", "10.9.0.3", "10.9.0.3");
            List<String> bundles = new ArrayList<>();
            cluster.placementGroups().forEach(group -> {
                if (group.path("state").asText().equals("CREATED")) {
                    bundles.add(group.path("bundles").toString());
                }
            });
            assertThat(bundles)
                    .singleElement()
                    .asString()
                    .contains("\"NPU\":2", "\"GPU\":2", "\"CPU\":2", "\"memory\"");
        }
        cluster.assertNothingLeft();
    }

    private static List<String> list(JsonNode plan, String field) {
        List<String> values = new ArrayList<>();
        plan.path("engines").forEach(engine -> values.add(engine.at(field).asText()));
        return values;
    }

    static ProcessRow raylet(TestCluster cluster, ClusterNode node) {
        return cluster.onNode(node).stream()
                .filter(row -> row.command().contains("/raylet/raylet "))
                .findFirst()
                .orElseThrow();
    }
}
