/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.sglangray.app.cluster.ExitResult;
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
import java.util.TreeMap;
import java.util.TreeSet;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One prefill engine of two accelerators and two decode engines of one each behind each of the real routers. The stand-ins answer only what
 * the router asks such engines, and a decode engine fetches each request's cache from the prefill engine over the network.
 */
@OnCluster
@Tag("fault")
class PrefillDecodeIT {
    private static final JsonNode WHO = JsonNodeFactory.instance.objectNode().put("text", "who?");

    @ParameterizedTest
    @ValueSource(strings = {"sglang-router", "smg"})
    void eachKindIsLostAndComesBackAndOneOfThemScales(String router, TestCluster cluster) throws IOException {
        Cli cli = new Cli(cluster);
        Path model = StandIn.model(cluster, "{}");
        String[] chosen = {"+router_server_args.router_type=" + router};
        try (InsideProcess up = cli.start(Cli.upWords(Cli.config("pools.yaml"), model, chosen, "--json"))) {
            JsonNode report = Cli.awaitReport(up);
            String url = report.path("api_url").asText();
            assertThat(report.path("verdict").asText()).as(report.toString()).isEqualTo("HEALTHY");
            assertThat(engines(report))
                    .containsExactly("prefill prefill [0, 1]", "decode decode [0]", "decode decode [1]");
            assertThat(facts(awaitAnswer(cluster, url))
                            .at("/environment/FROM_GROUP")
                            .asText())
                    .isEqualTo("decode");
            try (SteadyLoad load = new SteadyLoad(cluster, url, 10)) {
                aDecodeEngineDiesAndTheOtherAnswers(cluster, url, report, load);
                thePrefillEngineDiesAndComesBack(cluster, cli, url, report, model, load);
                theRouterDiesAndKnowsAllAgain(cluster, url, load);
            }
            fromPython(cluster);
            ExitResult scaled =
                    cli.run("scale", "--pool", "decode", "--by", "-1").orFail();
            assertThat(scaled.stderr())
                    .contains("1 engine(s) of pool decode instead of 2", "2 engine(s) before, now 1");
            ExitResult refused = cli.run("scale", "--pool", "decoders", "--engines", "2");
            assertThat(refused.code()).isEqualTo(2);
            assertThat(refused.stderr()).contains("no pool 'decoders'; it has prefill, decode");
            awaitListed(cluster, url, 1);
            assertThat(facts(awaitAnswer(cluster, url)).path("weight_version").asText())
                    .isEqualTo("step-1");
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
        }
        cluster.assertNothingLeft();
    }

    private static void aDecodeEngineDiesAndTheOtherAnswers(
            TestCluster cluster, String url, JsonNode report, SteadyLoad load) {
        long victim = worker(report, 1).path("pid").asLong();
        double killed = SteadyLoad.now();
        kill(cluster, 1, victim);
        Awaitility.await("the other answers").atMost(Cli.DEADLINE).untilAsserted(() -> {
            load.refresh();
            assertThat(load.firstSent(killed, sent -> sent.ok() && !sent.who().endsWith(":" + victim)))
                    .isNotNaN();
        });
        awaitListed(cluster, url, 2);
        double back = SteadyLoad.now();
        Awaitility.await("both answer").atMost(Cli.DEADLINE).untilAsserted(() -> {
            load.refresh();
            assertThat(load.between(back, SteadyLoad.now()).stream()
                            .filter(sent -> sent.ok() && sent.start() > back)
                            .map(SteadyLoad.Sent::who)
                            .distinct())
                    .hasSize(2)
                    .doesNotContain("node-b:" + victim);
        });
    }

    private static void thePrefillEngineDiesAndComesBack(
            TestCluster cluster, Cli cli, String url, JsonNode report, Path model, SteadyLoad load) throws IOException {
        Files.writeString(model.resolve("slow-once"), "8");
        double killed = SteadyLoad.now();
        kill(cluster, 0, worker(report, 0).path("pid").asLong());
        Awaitility.await("requests fail").atMost(Cli.DEADLINE).untilAsserted(() -> {
            load.refresh();
            assertThat(load.firstSent(killed, sent -> !sent.ok())).isNotNaN();
        });
        JsonNode status = Cli.json(cli.run("status", "--json").stdout());
        assertThat(status.path("verdict").asText()).as(status.toString()).isEqualTo("HEALING");
        assertThat(status.path("faults")).hasToString("[\"no prefill engine serves, and every request needs one\"]");
        awaitListed(cluster, url, 2);
        awaitAnswer(cluster, url);
        load.refresh();
        assertThat(SteadyLoad.failures(load.between(killed, SteadyLoad.now())).keySet())
                .isSubsetOf("HTTP 500", "HTTP 502", "HTTP 503");
    }

    private static void theRouterDiesAndKnowsAllAgain(TestCluster cluster, String url, SteadyLoad load) {
        double killed = SteadyLoad.now();
        cluster.kill(cluster.onNode(cluster.head()).stream()
                .filter(row -> row.command().startsWith("sglang::router"))
                .findFirst()
                .orElseThrow());
        Awaitility.await("the router is gone").atMost(Cli.DEADLINE).untilAsserted(() -> {
            load.refresh();
            assertThat(load.firstLook(killed, look -> !look.answered())).isNotNaN();
        });
        awaitListed(cluster, url, 2);
        awaitAnswer(cluster, url);
    }

    private static void fromPython(TestCluster cluster) {
        List<String> command = List.of(
                cluster.python().python().toString(),
                Cli.config("pools.py").toString(),
                cluster.address(),
                StandIn.model(cluster, "{}").toString());
        Path sources = PythonEnvironment.repository().resolve("python-bridge/src/main/python");
        try (InsideProcess python = cluster.spawn(cluster.head(), command, Map.of("PYTHONPATH", sources.toString()))) {
            assertThat(python.await(Cli.DEADLINE).orFail().stdout().lines())
                    .containsExactly(
                            "pools [('prefill', 'prefill'), ('decode', 'decode'), ('decode', 'decode')]",
                            "updated {0: 'UPDATED', 1: 'UPDATED', 2: 'UPDATED'}, versions ['step-1', 'step-1', 'step-1']",
                            "removed [2]",
                            "added [2], 2 of 3, versions ['step-1', 'step-1', 'step-1']",
                            "refused the fleet has several pools; name one of them: prefill, decode",
                            "refused the fleet has no pool 'encode'; it has prefill, decode");
        }
    }

    /** Waits until the router lists the prefill engine, at its own bootstrap port, and so many decode engines, and uses all. */
    private static void awaitListed(TestCluster cluster, String url, int decoders) {
        Awaitility.await("the router uses all engines").atMost(Cli.DEADLINE).untilAsserted(() -> {
            Map<String, Set<String>> listed = new TreeMap<>();
            JsonNode answer = cluster.get(url + "/workers");
            assertThat(answer.path("status").asInt()).as(answer.toString()).isEqualTo(200);
            for (JsonNode worker : Cli.parse(answer.path("text").asText()).path("workers")) {
                assertThat(worker.path("is_healthy").asBoolean())
                        .as(worker.toString())
                        .isTrue();
                String engine = worker.path("url").asText().replaceAll("/$", "");
                JsonNode facts =
                        Cli.parse(cluster.get(engine + "/standin").path("text").asText());
                String type = worker.path("worker_type").asText();
                assertThat(facts.at("/args/disaggregation_mode").asText()).isEqualTo(type);
                if (type.equals("prefill")) {
                    assertThat(facts.at("/args/disaggregation_bootstrap_port").asInt())
                            .isPositive()
                            .isEqualTo(worker.path("bootstrap_port").asInt());
                }
                listed.computeIfAbsent(type, key -> new TreeSet<>()).add(engine);
            }
            assertThat(listed).as(listed.toString()).containsOnlyKeys("prefill", "decode");
            assertThat(listed.get("prefill")).hasSize(1);
            assertThat(listed.get("decode")).hasSize(decoders);
        });
    }

    private static JsonNode awaitAnswer(TestCluster cluster, String url) {
        return Awaitility.await("an answer")
                .atMost(Cli.DEADLINE)
                .until(
                        () -> cluster.post(url + "/generate", WHO),
                        answer -> answer.path("status").asInt() == 200);
    }

    private static JsonNode facts(JsonNode answer) {
        JsonNode meta = Cli.parse(answer.path("text").asText()).path("meta_info");
        assertThat(meta.path("prefill_pid").asText()).as("who read the prompt").isNotEmpty();
        return meta;
    }

    private static void kill(TestCluster cluster, int node, long pid) {
        cluster.kill(cluster.onNode(cluster.nodes().get(node)).stream()
                .filter((ProcessRow row) -> row.innerPid() == pid)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no process " + pid)));
    }

    private static List<String> engines(JsonNode report) {
        return List.of(0, 1, 2).stream()
                .map(rank -> worker(report, rank))
                .map(engine -> "%s %s %s"
                        .formatted(
                                engine.path("pool").asText(),
                                engine.path("workerType").asText(),
                                engine.path("devices")
                                        .toString()
                                        .replace("\"", "")
                                        .replace(",", ", ")))
                .toList();
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
