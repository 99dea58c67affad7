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
import org.junit.jupiter.params.provider.EnumSource;

/** Fleets on nodes that Ray knows by something else than IPv4 addresses. */
@Tag("ray")
class NodeAddressesIT {

    @ParameterizedTest
    @EnumSource(
            value = Addresses.class,
            names = {"NAMES", "IPV6_NAMES"})
    void aFleetServesOnNodesWith(Addresses addresses) {
        try (TestCluster cluster = TestCluster.start(
                new ClusterSpec(PythonEnvironment.NEWEST_RAY, List.of(node(0), node(1)), Services.RAY, addresses))) {
            Cli cli = new Cli(cluster);
            try (InsideProcess up = cli.up(StandIn.model(cluster, "{}"))) {
                JsonNode report = Cli.awaitReport(up);
                assertThat(report.path("verdict").asText()).isEqualTo("HEALTHY");
                assertThat(report.path("api_url").asText()).startsWith("http://node-a:");
                assertThat(report.at("/workers/1/url").asText()).startsWith("http://node-a:");
                assertThat(report.at("/workers/2/url").asText()).startsWith("http://node-b:");
                assertThat(FleetContract.askEach(cluster, report.path("api_url").asText(), 2))
                        .extracting(engine -> engine.path("host_name").asText())
                        .containsExactly("node-a", "node-b");
                assertThat(cli.run("generate", "hello").orFail().stdout()).contains("hello");
                up.signal("TERM");
                assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(143);
            }
            cluster.assertNothingLeft();
        }
    }

    private static NodeSpec node(int rank) {
        return StandIn.on(NodeSpec.gpus(2).withResource("node_rank:" + rank, 1));
    }
}
