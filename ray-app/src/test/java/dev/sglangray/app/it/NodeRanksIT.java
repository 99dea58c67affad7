/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks given as RLinf's users give them: a variable that is set before {@code ray start}. */
@Tag("ray")
class NodeRanksIT {

    @ParameterizedTest
    @ValueSource(strings = {PythonEnvironment.LOWEST_RAY, PythonEnvironment.NEWEST_RAY})
    void areReadFromTheNodesVariables(String version) {
        List<NodeSpec> nodes = List.of(ranked("1"), ranked("0"));
        try (TestCluster cluster = TestCluster.start(new ClusterSpec(version, nodes, Services.RAY))) {
            ExitResult plan = new Cli(cluster)
                    .run(
                            "plan",
                            "--json",
                            "-c",
                            Cli.config("node_groups.yaml").toString(),
                            "router_server_args.model_path=" + StandIn.model(cluster, "{}"))
                    .orFail();
            JsonNode json = Cli.parse(plan.stdout());
            assertThat(json.path("nodes"))
                    .extracting(node -> node.path("ip").asText())
                    .as("the second node was started with rank 0")
                    .containsExactly(
                            cluster.nodes().get(1).ip(), cluster.nodes().get(0).ip());
            assertThat(json.path("engines")).hasSize(4);
            cluster.assertNothingLeft();
        }
    }

    private static NodeSpec ranked(String rank) {
        return StandIn.on(NodeSpec.gpus(2).withEnvironment("RLINF_NODE_RANK", rank));
    }
}
