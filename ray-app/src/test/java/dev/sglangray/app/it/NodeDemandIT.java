/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A growth without room asks for nodes, as Ray's cluster autoscaler understands it; here the test starts them. */
@Tag("ray")
class NodeDemandIT {
    @Test
    void asksForNodesAndUsesThemOrTakesItBack() {
        try (TestCluster cluster = TestCluster.start(new ClusterSpec(
                PythonEnvironment.NEWEST_RAY,
                List.of(StandIn.on(NodeSpec.gpus(1)), StandIn.on(NodeSpec.gpus(1))),
                Services.RAY))) {
            ClusterNode other = cluster.nodes().get(1);
            cluster.stop(other);
            Cli cli = new Cli(cluster);
            try (InsideProcess up = cli.up(
                    StandIn.model(cluster, "{}"),
                    "cluster.num_nodes=1",
                    "router_server_args.tensor_parallel_size=1",
                    "+router_server_args.placement_group.wait_for_nodes_s=240")) {
                Cli.awaitReport(up);
                try (InsideProcess scale = cli.start("scale", "--by", "1")) {
                    awaitDemand(cluster, "sglang-ray/SGLangServerGroup/scale-1/nodes");
                    cluster.startAgain(other);
                    ExitResult grown = scale.await(Cli.DEADLINE);
                    assertThat(grown.code()).as(grown.toString()).isZero();
                    assertThat(grown.stderr()).contains("1 engine(s) before, now 2");
                }
                assertThat(groups(cluster, "PENDING")).isEmpty();
                assertThat(groups(cluster, "CREATED"))
                        .containsExactlyInAnyOrder(
                                "sglang-ray/SGLangServerGroup", "sglang-ray/SGLangServerGroup/scale-1");

                try (InsideProcess scale = cli.start("scale", "--by", "1")) {
                    awaitDemand(cluster, "sglang-ray/SGLangServerGroup/scale-2/nodes");
                    up.signalGroup("INT");
                    assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
                    assertThat(scale.await(Cli.DEADLINE).code()).isEqualTo(1);
                }
            }
            assertThat(groups(cluster, "PENDING")).isEmpty();
            cluster.assertNothingLeft();
        }
    }

    private static void awaitDemand(TestCluster cluster, String group) {
        Awaitility.await(group + " is pending")
                .atMost(Cli.DEADLINE)
                .untilAsserted(() -> assertThat(groups(cluster, "PENDING")).containsExactly(group));
        String ray = cluster.python().python().resolveSibling("ray").toString();
        Awaitility.await("Ray's own autoscaler counts it")
                .atMost(Cli.DEADLINE)
                .untilAsserted(() -> assertThat(cluster.exec(cluster.head(), Cli.DEADLINE, ray, "status")
                                .stdout())
                        .contains("{'GPU': 1.0} * 1 (PACK): 1+ pending placement groups"));
    }

    private static List<String> groups(TestCluster cluster, String state) {
        List<String> names = new ArrayList<>();
        for (JsonNode group : cluster.placementGroups()) {
            if (group.path("state").asText().equals(state)) {
                names.add(group.path("name").asText());
            }
        }
        return names;
    }
}
