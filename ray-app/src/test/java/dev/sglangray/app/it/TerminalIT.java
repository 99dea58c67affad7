/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The commands that follow a fleet, while an engine and a worker die and come back, and until the fleet ends. */
@OnCluster
@Tag("ray")
class TerminalIT {
    private static final String READY = "stand-in engine: ready on port";

    @Test
    void theCommandsFollowAFleet(TestCluster cluster) {
        Cli cli = new Cli(cluster);
        try (InsideProcess up = cli.up(StandIn.model(cluster, "{}"))) {
            JsonNode report = Cli.awaitReport(up);
            tailsOfLogs(cli);
            try (InsideProcess events = cli.start("events", "-f", "--json");
                    InsideProcess logs = cli.start("logs", "-f");
                    InsideProcess status = cli.start("status", "--watch", "1");
                    InsideProcess top = cli.start("top", "--interval", "1")) {
                events.awaitOutput("\"kind\":\"PUBLISHED\"", Cli.DEADLINE);
                status.awaitOutput("fleet      healthy", Cli.DEADLINE);
                top.awaitOutput("TOKENS/S", Cli.DEADLINE);
                logs.awaitOutput("==> engine 1: ", Cli.DEADLINE);

                requestsAreCounted(cluster, cli, top, report);
                aRestartedEngineIsFollowed(cluster, events, logs, status, report);
                aRestartedWorkerIsFollowed(cluster, cli, events, report);
                aReaderThatEndsEndsTheCommand(cluster);

                for (InsideProcess command : List.of(logs, status, top)) {
                    command.signalGroup("INT");
                    ExitResult end = command.await(Cli.DEADLINE);
                    assertThat(end.code()).as(end.toString()).isEqualTo(130);
                    assertThat(end.stderr()).doesNotContain("unexpected", "\tat ");
                }
                up.signalGroup("INT");
                assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
                ExitResult end = events.await(Cli.DEADLINE);
                assertThat(end.code()).as(end.toString()).isEqualTo(4);
                assertThat(end.stderr()).contains("the fleet of the group 'SGLangServerGroup' is gone");
                eachOnce(events);
            }
        }
        cluster.assertNothingLeft();
    }

    private static void tailsOfLogs(Cli cli) {
        ExitResult all = cli.run("logs").orFail();
        assertThat(all.stdout()).contains("==> router", "==> engine 0: ", "==> engine 1: ", READY);
        ExitResult one = cli.run("logs", "1", "--lines", "1").orFail();
        assertThat(one.stdout().lines()).singleElement().asString().startsWith(READY);
        ExitResult none = cli.run("logs", "7");
        assertThat(none.code()).isEqualTo(2);
        assertThat(none.stderr()).contains("the fleet has no engine 7; it has [0, 1]");
        ExitResult part = cli.run("logs", "0/1", "-f");
        assertThat(part.code()).isEqualTo(2);
        assertThat(part.stderr()).contains("engine 0 has no part 1; it has 0 to 0");
    }

    private static void requestsAreCounted(TestCluster cluster, Cli cli, InsideProcess top, JsonNode report) {
        String program = "import sys, urllib.request as r\n"
                + "r.urlopen(r.Request(sys.argv[1] + '/generate', b'{\"text\": \"x\", \"seconds\": 300}',"
                + " {'Content-Type': 'application/json'})).read()";
        String engine = worker(report, 1).path("url").asText();
        List<String> command = List.of(cluster.python().python().toString(), "-c", program, engine);
        try (InsideProcess request = cluster.spawn(cluster.head(), command, Map.of())) {
            Pattern row = Pattern.compile("(?m)^1 +- +ready +[0-9.]+ +[0-9,]+ +1 +0 +- +- +default +0$");
            Awaitility.await("the request in the table")
                    .atMost(Cli.DEADLINE)
                    .until(() -> row.matcher(top.stdout()).find());
            JsonNode sample = Cli.json(cli.run("top", "--json").orFail().stdout());
            assertThat(sample.path("verdict").asText()).as(sample.toString()).isEqualTo("HEALTHY");
            assertThat(sample.path("engines").findValuesAsText("running")).containsExactly("0", "1");
            assertThat(sample.path("engines").get(1).path("kvUse").isNull()).isTrue();
            assertThat(request.isAlive()).isTrue();
            request.signal("KILL");
        }
    }

    private static void aRestartedEngineIsFollowed(
            TestCluster cluster, InsideProcess events, InsideProcess logs, InsideProcess status, JsonNode report) {
        kill(cluster, worker(report, 0), "pid");
        logs.awaitOutput("-restart1.log <==", Cli.DEADLINE);
        Awaitility.await("the first lines of the new log")
                .atMost(Cli.DEADLINE)
                .until(() -> logs.stdout()
                        .substring(logs.stdout().indexOf("-restart1.log <=="))
                        .contains(READY));
        status.awaitOutput("restarts 1, since ", Cli.DEADLINE);
        awaitEvent(events, "SGLangServerGroup:0", "EXITED");
        awaitEvent(events, "SGLangServerGroup:0", "RECOVERED");
    }

    private static void aRestartedWorkerIsFollowed(
            TestCluster cluster, Cli cli, InsideProcess events, JsonNode report) {
        kill(cluster, worker(report, 1), "workerPid");
        awaitEvent(events, "SGLangServerGroup:1", "WORKER_RESTARTED");
        awaitEvent(events, "SGLangServerGroup:1", "RECOVERED");
        Awaitility.await("the fleet serves again")
                .atMost(Cli.DEADLINE)
                .until(() -> Cli.json(cli.run("status", "--json").stdout())
                        .path("verdict")
                        .asText()
                        .equals("HEALTHY"));
    }

    private static void aReaderThatEndsEndsTheCommand(TestCluster cluster) {
        String program =
                Cli.dist().resolve("sglang-ray") + " status --watch 1 --json | head -n 1; echo \"${PIPESTATUS[0]}\"";
        Map<String, String> environment = Map.of(
                "RAY_ADDRESS",
                cluster.address(),
                "SGLANG_RAY_PYTHON",
                cluster.python().python().toString());
        try (InsideProcess pipe = cluster.spawn(cluster.head(), List.of("bash", "-c", program), environment)) {
            List<String> lines =
                    pipe.await(Cli.DEADLINE).orFail().stdout().lines().toList();
            assertThat(lines).hasSize(2);
            assertThat(Cli.json(lines.get(0)).path("verdict").asText()).isEqualTo("HEALTHY");
            assertThat(lines.get(1)).isEqualTo("0");
        }
    }

    private static void awaitEvent(InsideProcess events, String worker, String kind) {
        Awaitility.await(worker + " " + kind)
                .atMost(Cli.DEADLINE)
                .until(() -> events.linesFrom(0)
                        .lines()
                        .map(Cli::parse)
                        .anyMatch(event -> event.path("worker").asText().equals(worker)
                                && event.path("kind").asText().equals(kind)));
    }

    /** Also of a journal that numbers from 0 again. */
    private static void eachOnce(InsideProcess events) {
        List<String> lines = events.linesFrom(0).lines().toList();
        assertThat(lines).doesNotHaveDuplicates();
        assertThat(lines.stream()
                        .map(Cli::parse)
                        .filter(event -> event.path("worker").asText().equals("SGLangServerGroup:1")
                                && event.path("number").asInt() == 0))
                .as("two lives of the worker")
                .hasSize(2);
    }

    /** Process ids are those that the node has. */
    private static void kill(TestCluster cluster, JsonNode worker, String process) {
        String ip = worker.path("nodeIp").asText();
        long pid = worker.path(process).asLong();
        ClusterNode node = cluster.nodes().stream()
                .filter(candidate -> candidate.ip().equals(ip))
                .findFirst()
                .orElseThrow();
        cluster.signal(
                cluster.onNode(node).stream()
                        .filter(row -> row.innerPid() == pid)
                        .findFirst()
                        .orElseThrow(() -> new AssertionError("no process " + pid)),
                "KILL");
    }

    private static JsonNode worker(JsonNode report, int rank) {
        return StreamSupport.stream(report.path("workers").spliterator(), false)
                .filter(worker -> worker.path("kind").asText().equals("server")
                        && worker.path("rank").asInt() == rank)
                .findFirst()
                .orElseThrow();
    }
}
