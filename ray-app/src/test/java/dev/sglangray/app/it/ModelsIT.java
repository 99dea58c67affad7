/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.ProcessRow;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A model that is trained, one that is not, and one whose engine another program keeps, behind one real router that sends each
 * request to the model that it names.
 */
@OnCluster
@Tag("fault")
class ModelsIT {
    /** Below the ports that engines get. */
    private static final int PORT = 9_177;

    @Test
    void eachModelIsServedAndLostByItself(TestCluster cluster) throws IOException {
        Cli cli = new Cli(cluster);
        Path actor = StandIn.model(cluster, "{}");
        Path judge = StandIn.model(cluster, "{}");
        String external = "http://" + cluster.head().ip() + ":" + PORT;
        Path config = Files.writeString(
                actor.resolve("models.yaml"),
                Files.readString(Cli.config("models.yaml"))
                        .replace("/path/to/judge", judge.toString())
                        .replace("http://localhost:1", external));
        // Detached: the owner has the configuration without interpolations.
        JsonNode report = Cli.json(cli.run(Cli.upWords(config, actor, new String[0], "--json", "--detach"))
                .orFail()
                .stdout());
        String url = report.path("api_url").asText();
        assertThat(report.path("verdict").asText()).as(report.toString()).isEqualTo("DEGRADED");
        assertThat(report.path("faults").toString())
                .as("the external engine is not up yet")
                .contains("external engine " + external + " gets no requests: ");
        awaitModels(cluster, url, "actor", "judge");
        assertThat(modelPaths(cluster, report)).containsExactly(actor.toString(), actor.toString(), judge.toString());

        try (InsideProcess poet = poet(cluster, "poet")) {
            awaitModels(cluster, url, "actor", "judge", "poet");
            assertThat(status(cli).path("verdict").asText()).isEqualTo("HEALTHY");
            assertThat(cli.run("status").orFail().stdout())
                    .contains(external + " is an external engine of model 'poet'");
            assertThat(answer(cluster, url, "actor")).isEqualTo(" said to actor: who?");
            assertThat(answer(cluster, url, "judge")).isEqualTo(" said to judge: who?");
            assertThat(answer(cluster, url, "poet")).isEqualTo(" heard 4 characters");
            assertThat(ask(cluster, url, "painter").path("status").asInt()).isEqualTo(404);
            assertThat(ask(cluster, url, "").path("status").asInt())
                    .as("a request that names no model")
                    .isEqualTo(400);

            anUpdateLeavesTheJudgeAsItIs(cluster, actor);
            theJudgeDiesAndTheOthersAnswer(cluster, cli, url, report, judge);
            theRouterDiesAndKnowsAllAgain(cluster, url);
            poet.signal("KILL");
        }
        awaitModels(cluster, url, "actor", "judge");
        try (InsideProcess other = poet(cluster, "painter")) {
            Awaitility.await("the fault")
                    .atMost(Cli.DEADLINE)
                    .untilAsserted(() -> assertThat(status(cli).path("faults").toString())
                            .contains("it must serve model 'poet', and serves 'painter'"));
            assertThat(models(cluster, url)).containsExactly("actor", "judge");
            other.signal("KILL");
        }
        try (InsideProcess poet = poet(cluster, "poet")) {
            awaitModels(cluster, url, "actor", "judge", "poet");
            cli.run("down").orFail();
            assertThat(poet.isAlive()).as("what another program keeps").isTrue();
        }
        cluster.assertNothingLeft();
    }

    private static List<String> modelPaths(TestCluster cluster, JsonNode report) {
        return List.of(0, 1, 2).stream()
                .map(rank -> cluster.get(worker(report, rank).path("url").asText() + "/standin"))
                .map(answer -> Cli.parse(answer.path("text").asText())
                        .at("/args/model_path")
                        .asText())
                .toList();
    }

    private static InsideProcess poet(TestCluster cluster, String model) {
        return cluster.spawn(
                cluster.head(),
                List.of(
                        cluster.python().python().toString(),
                        PythonEnvironment.repository()
                                .resolve("bench/stand_in_engine.py")
                                .toString(),
                        "--host",
                        cluster.head().ip(),
                        "--port",
                        Integer.toString(PORT),
                        "--model-path",
                        model),
                Map.of());
    }

    private static void anUpdateLeavesTheJudgeAsItIs(TestCluster cluster, Path checkpoint) {
        List<String> command = List.of(
                cluster.python().python().toString(),
                Cli.config("models.py").toString(),
                cluster.address(),
                checkpoint.toString());
        Path sources = PythonEnvironment.repository().resolve("python-bridge/src/main/python");
        try (InsideProcess python = cluster.spawn(cluster.head(), command, Map.of("PYTHONPATH", sources.toString()))) {
            assertThat(python.await(Cli.DEADLINE).orFail().stdout().lines())
                    .containsExactly(
                            "models [('actor', True), ('actor', True), ('judge', False)]",
                            "updated {0: 'UPDATED', 1: 'UPDATED', 2: 'FROZEN'},"
                                    + " versions ['step-1', 'step-1', 'default']",
                            "servers ['actor', 'actor', 'judge', 'poet']");
        }
    }

    private static void theJudgeDiesAndTheOthersAnswer(
            TestCluster cluster, Cli cli, String url, JsonNode report, Path judge) throws IOException {
        Files.writeString(judge.resolve("slow-once"), "8");
        long pid = worker(report, 2).path("pid").asLong();
        cluster.kill(cluster.onNode(cluster.nodes().get(1)).stream()
                .filter((ProcessRow row) -> row.innerPid() == pid)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no process " + pid)));
        Awaitility.await("the judge is out")
                .atMost(Cli.DEADLINE)
                .untilAsserted(() -> assertThat(
                                ask(cluster, url, "judge").path("status").asInt())
                        .isBetween(404, 503));
        assertThat(answer(cluster, url, "actor")).isEqualTo(" said to actor: who?");
        assertThat(answer(cluster, url, "poet")).isEqualTo(" heard 4 characters");
        JsonNode status = status(cli);
        assertThat(status.path("verdict").asText()).as(status.toString()).isEqualTo("HEALING");
        assertThat(status.path("faults").toString()).contains("no engine of model 'judge' serves");
        awaitModels(cluster, url, "actor", "judge", "poet");
        Awaitility.await("the judge answers")
                .atMost(Cli.DEADLINE)
                .untilAsserted(() -> assertThat(answer(cluster, url, "judge")).isEqualTo(" said to judge: who?"));
        assertThat(worker(status(cli), 2).path("weightVersion").asText())
                .as("after the restart")
                .isEqualTo("default");
    }

    private static void theRouterDiesAndKnowsAllAgain(TestCluster cluster, String url) {
        ProcessRow router = cluster.onNode(cluster.head()).stream()
                .filter(row -> row.command().startsWith("sglang::router"))
                .findFirst()
                .orElseThrow();
        cluster.kill(router);
        Awaitility.await("the router is gone")
                .atMost(Cli.DEADLINE)
                .until(() -> cluster.processes().stream().noneMatch(row -> row.pid() == router.pid()));
        awaitModels(cluster, url, "actor", "judge", "poet");
        assertThat(answer(cluster, url, "poet")).isEqualTo(" heard 4 characters");
    }

    private static void awaitModels(TestCluster cluster, String url, String... names) {
        Awaitility.await("models " + List.of(names))
                .atMost(Cli.DEADLINE)
                .untilAsserted(() -> assertThat(models(cluster, url)).containsExactly(names));
    }

    private static Set<String> models(TestCluster cluster, String url) {
        JsonNode answer = cluster.get(url + "/v1/models");
        Set<String> names = new TreeSet<>();
        if (answer.path("status").asInt() == 200) {
            Cli.parse(answer.path("text").asText())
                    .path("data")
                    .forEach(model -> names.add(model.path("id").asText()));
        }
        return names;
    }

    private static JsonNode ask(TestCluster cluster, String url, String model) {
        ObjectNode body = JsonNodeFactory.instance.objectNode().put("text", "who?");
        return cluster.post(url + "/generate", model.isEmpty() ? body : body.put("model", model));
    }

    private static String answer(TestCluster cluster, String url, String model) {
        JsonNode answer = ask(cluster, url, model);
        assertThat(answer.path("status").asInt()).as(answer.toString()).isEqualTo(200);
        return Cli.parse(answer.path("text").asText()).path("text").asText();
    }

    private static JsonNode status(Cli cli) {
        return Cli.json(cli.run("status", "--json").stdout());
    }

    private static JsonNode worker(JsonNode report, int rank) {
        for (JsonNode worker : report.path("workers")) {
            if (worker.path("kind").asText().equals("server")
                    && worker.path("rank").asInt() == rank) {
                return worker;
            }
        }
        throw new AssertionError("no engine " + rank + " in " + report);
    }
}
