/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * {@code kill -9} of every kind of process of a fleet that is not to be healed, and a router that stands still; that nothing is left is checked after each
 * test.
 */
@Tag("fault")
abstract class KillsContract {

    private static final int LOST = 4;
    private static final String NEVER = "+router_server_args.supervision.restart=never";

    @Test
    void ofTheDriverOfARunningFleet(TestCluster cluster) {
        try (InsideProcess up = new Cli(cluster).up(StandIn.model(cluster, "{\"ignore_sigterm\": true}"))) {
            Cli.awaitReport(up);
            up.signal("KILL");
            assertThat(up.await(Cli.DEADLINE).code()).isEqualTo(137);
        }
        cluster.assertNothingLeft();
    }

    @Test
    void ofTheDriverWhileEnginesLoad(TestCluster cluster) {
        try (InsideProcess up = new Cli(cluster).upWithProgress(StandIn.model(cluster, "{\"load_seconds\": 100}"))) {
            up.awaitOutput("SGLangRouterGroup:0 serves at", Cli.DEADLINE).signal("KILL");
            assertThat(up.await(Cli.DEADLINE).code()).isEqualTo(137);
        }
        cluster.assertNothingLeft();
    }

    @ParameterizedTest
    @ValueSource(strings = {"pid", "workerPid"})
    void ofOneEngineOrItsActorLeavesTheOtherEngineServing(String which, TestCluster cluster) {
        try (InsideProcess up = new Cli(cluster).up(StandIn.model(cluster, "{}"), NEVER)) {
            JsonNode report = Cli.awaitReport(up);
            String url = report.path("api_url").asText();
            JsonNode engine = part(report, "server");
            kill(cluster, engine.path(which).asLong());

            Awaitility.await("the router without the lost engine")
                    .atMost(Cli.DEADLINE)
                    .until(() ->
                            !listed(cluster, url).contains(engine.path("url").asText()));
            assertThat(FleetContract.askEach(cluster, url, 1))
                    .extracting(answer -> answer.path("host_name").asText())
                    .containsExactly("node-b");
            JsonNode status =
                    Cli.json(new Cli(cluster).run("status", "--json").orFail().stdout());
            assertThat(status.path("verdict").asText()).isEqualTo("DEGRADED");
            assertThat(status.path("workers").findValuesAsText("rank")).containsExactly("0", "0", "1");
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
        }
        cluster.assertNothingLeft();
    }

    @ParameterizedTest
    @ValueSource(strings = {"pid", "workerPid"})
    void ofTheRouterOrItsActorEndsTheFleet(String which, TestCluster cluster) {
        try (InsideProcess up = new Cli(cluster).up(StandIn.model(cluster, "{}"), NEVER)) {
            JsonNode report = Cli.awaitReport(up);
            kill(cluster, part(report, "router").path(which).asLong());
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(LOST);
            assertThat(up.stderr()).contains("the router is lost");
        }
        cluster.assertNothingLeft();
    }

    /** Neither the end of the command nor the fleet's. */
    @Test
    void aRouterThatStandsStillIsALineOfTheStatus(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        try (InsideProcess up = cli.up(StandIn.model(cluster, "{}"), NEVER)) {
            long router = part(Cli.awaitReport(up), "router").path("pid").asLong();
            signal(cluster, router, "STOP");
            assertThat(cli.run("status").orFail().stdout())
                    .contains("fleet      degraded", "the router does not tell its servers", "engine 0", "engine 1");
            signal(cluster, router, "CONT");
            Awaitility.await("the router answers again")
                    .atMost(Cli.DEADLINE)
                    .until(() -> cli.run("status").orFail().stdout().contains("fleet      healthy"));
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
        }
        cluster.assertNothingLeft();
    }

    private static void kill(TestCluster cluster, long innerPid) {
        signal(cluster, innerPid, "KILL");
    }

    private static void signal(TestCluster cluster, long innerPid, String name) {
        cluster.signal(
                cluster.processes().stream()
                        .filter(row -> row.innerPid() == innerPid)
                        .findFirst()
                        .orElseThrow(),
                name);
    }

    private static String listed(TestCluster cluster, String url) {
        return cluster.get(url + "/workers").path("text").asText();
    }

    private static JsonNode part(JsonNode report, String kind) {
        for (JsonNode worker : report.path("workers")) {
            if (worker.path("kind").asText().equals(kind)) {
                return worker;
            }
        }
        throw new AssertionError("no " + kind + " in " + report);
    }
}
