/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.TestCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real engine of two ranks, one on each of two nodes; they meet by gloo. */
@Tag("sglang")
class RealSpanningEngineIT {
    private static final Duration LOADING = Duration.ofMinutes(6);
    /** What the tiny model always says; half a model would say something else. */
    private static final String ANSWER = "places every engine on its own node";

    @Test
    void answersAndIsBackAfterTheLossOfAPart() {
        // More threads than cores would wait for each other.
        NodeSpec node = NodeSpec.onProcessor(1).withEnvironment("OMP_NUM_THREADS", "1");
        ClusterSpec two = new ClusterSpec(PythonEnvironment.NEWEST_RAY, List.of(node, node), Services.RAY);
        try (TestCluster cluster = TestCluster.start(two)) {
            Cli cli = new Cli(cluster);
            try (InsideProcess up = cli.up(
                    RealFleetIT.tinyModel(cluster, 0),
                    "cluster.component_placement.rollout=0-1",
                    "router_server_args.server.log_level=info")) {
                up.awaitOutput("\"api_url\"", LOADING);
                JsonNode before = SpanningEnginesIT.engine(cli, 0);
                assertThat(SpanningEnginesIT.nodes(before)).containsExactly("10.9.0.1", "10.9.0.2");
                assertThat(answer(cli)).contains(ANSWER);

                SpanningEnginesIT.signal(cluster, before, "/parts/0/pid", "KILL");
                JsonNode after = SpanningEnginesIT.awaitNew(cli, before, "after the kill of part 1");
                assertThat(after.path("conditions").toString()).doesNotContain("no warm start");
                assertThat(answer(cli)).contains(ANSWER);
                up.signalGroup("INT");
                assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
            } catch (AssertionError e) {
                cluster.saveLogs();
                throw e;
            }
            cluster.assertNothingLeft();
        }
    }

    private static String answer(Cli cli) {
        return cli.run("generate", "Ray").orFail().stdout();
    }
}
