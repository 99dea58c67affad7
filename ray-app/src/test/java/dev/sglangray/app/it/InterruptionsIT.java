/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ctrl-C and SIGTERM at every step of a launch; that nothing is left is checked after each test. */
@OnCluster
@Tag("fault")
class InterruptionsIT {

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

    private static InsideProcess up(TestCluster cluster, String behaviour, String... more) {
        return new Cli(cluster).upWithProgress(StandIn.model(cluster, behaviour), more);
    }
}
