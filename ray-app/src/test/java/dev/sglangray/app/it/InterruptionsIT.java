/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ctrl-C and SIGTERM at every step of a launch; that nothing is left is checked after each test. */
@OnCluster
@Tag("fault")
class InterruptionsIT {
    private static final Duration SOON = Duration.ofSeconds(40);

    @ParameterizedTest
    @CsvSource({
        "reading the configuration, INT, 130",
        "joining the Ray cluster, INT, 130",
        "reserving, INT, 130",
        "starting 2 engine(s), INT, 130",
        "SGLangRouterGroup:0 serves at, INT, 130",
        "SGLangRouterGroup:0 serves at, TERM, 143"
    })
    void endsTheLaunch(String moment, String signal, int code, TestCluster cluster) {
        try (InsideProcess up = up(cluster, "{\"load_seconds\": 60}")) {
            up.awaitOutput(moment, Cli.DEADLINE).signalGroup(signal);
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(code);
        }
    }

    @Test
    void endsAWaitForAcceleratorsThatOthersHave(TestCluster cluster) {
        try (InsideProcess first = up(cluster, "{}")) {
            first.awaitOutput("Ctrl-C ends the fleet", Cli.DEADLINE);
            try (InsideProcess second = up(
                    cluster,
                    "{}",
                    "router_server_args.group_name=Second",
                    "router_server_args.router_group_name=SecondRouter")) {
                second.awaitOutput("reserving", Cli.DEADLINE).signalGroup("INT");
                assertThat(second.await(Cli.DEADLINE).code())
                        .as(second.stderr())
                        .isEqualTo(130);
            }
            assertThat(new Cli(cluster).run("generate", "still there?").orFail().stdout())
                    .contains("still there?");
            first.signalGroup("INT");
            assertThat(first.await(Cli.DEADLINE).code()).isEqualTo(130);
        }
    }

    /** Ray's native calls to a head that is gone have no deadline, and abort the process after a minute. */
    @ParameterizedTest
    @CsvSource({"TERM, 143", "INT, 130"})
    void endsAFleetWhoseClusterIsGone(String signal, int code) {
        try (TestCluster lost = TestCluster.start(
                new ClusterSpec(PythonEnvironment.NEWEST_RAY, List.of(StandIn.on(NodeSpec.gpus(2))), Services.RAY))) {
            try (InsideProcess up = up(lost, "{}", "cluster.num_nodes=1")) {
                up.awaitOutput("Ctrl-C ends the fleet", Cli.DEADLINE);
                lost.kill(lost.gcs());
                up.signalGroup(signal);
                ExitResult result = up.await(SOON);
                assertThat(result.code()).as(result.toString()).isEqualTo(code);
                assertThat(result.stderr()).doesNotContain("SIGABRT", "hs_err");
            }
        }
    }

    private static InsideProcess up(TestCluster cluster, String behaviour, String... more) {
        return new Cli(cluster).upWithProgress(StandIn.model(cluster, behaviour), more);
    }
}
