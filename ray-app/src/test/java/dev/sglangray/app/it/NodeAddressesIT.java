/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.ClusterSpec.Addresses;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Fleets on nodes that Ray knows by names, and accelerators that it was given by UUID. */
@Tag("ray")
class NodeAddressesIT {

    @ParameterizedTest
    @CsvSource({"NAMES, ray", "IPV6_NAMES, trust_config"})
    void aFleetServesOnNodesWith(Addresses addresses, String acceleratorIds) {
        try (TestCluster cluster = TestCluster.start(
                new ClusterSpec(PythonEnvironment.NEWEST_RAY, List.of(node(0), node(1)), Services.RAY, addresses))) {
            Cli cli = new Cli(cluster);
            try (InsideProcess up = cli.up(
                    StandIn.model(cluster, "{}"),
                    "+router_server_args.placement_group.accelerator_ids=" + acceleratorIds)) {
                JsonNode report = Cli.awaitReport(up);
                assertThat(report.path("verdict").asText()).isEqualTo("HEALTHY");
                assertThat(report.path("api_url").asText()).startsWith("http://node-a:");
                assertThat(report.at("/workers/1/url").asText()).startsWith("http://node-a:");
                assertThat(report.at("/workers/2/url").asText()).startsWith("http://node-b:");
                List<JsonNode> engines =
                        FleetContract.askEach(cluster, report.path("api_url").asText(), 2);
                assertThat(engines)
                        .extracting(engine -> engine.path("host_name").asText())
                        .containsExactly("node-a", "node-b");
                assertThat(engines)
                        .extracting(engine ->
                                engine.at("/environment/CUDA_VISIBLE_DEVICES").asText())
                        .containsExactly("GPU-000a,GPU-000b", "GPU-001a,GPU-001b");
                assertThat(report.at("/workers/1/devices").toString()).isEqualTo("[\"GPU-000a\",\"GPU-000b\"]");
                assertThat(cli.run("generate", "hello").orFail().stdout()).contains("hello");
                up.signal("TERM");
                assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(143);
            }
            cluster.assertNothingLeft();
        }
    }

    private static NodeSpec node(int rank) {
        return StandIn.on(NodeSpec.gpus(2).withResource("node_rank:" + rank, 1))
                .withEnvironment("CUDA_VISIBLE_DEVICES", "GPU-00%1$da,GPU-00%1$db".formatted(rank));
    }
}
