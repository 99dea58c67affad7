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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Engines of two accelerators on nodes that have one each. Their stand-ins meet over the network before they are healthy. */
@Tag("fault")
class SpanningEnginesIT {
    private static final String[] FLEET = {
        "cluster.num_nodes=4",
        "cluster.component_placement.rollout=0-1",
        "router_server_args.tensor_parallel_size=2",
        "+router_server_args.supervision={node_loss_s: 3, probe: generate, probe_interval_s: 1, probe_timeout_s: 2, probe_failures: 2, max_restarts: 20, backoff_max_s: 1}"
    };

    private static final List<String> OLD = List.of("/parts/0/pid");

    private static TestCluster start(String ray) {
        NodeSpec node = StandIn.on(NodeSpec.gpus(1));
        return TestCluster.start(new ClusterSpec(ray, List.of(node, node, node, node), Services.RAY));
    }

    @ParameterizedTest
    @ValueSource(strings = {PythonEnvironment.NEWEST_RAY, PythonEnvironment.LOWEST_RAY})
    void anEngineOverTwoNodesIsOneEngine(String ray) {
        try (TestCluster cluster = start(ray)) {
            Cli cli = new Cli(cluster);
            boolean all = ray.equals(PythonEnvironment.NEWEST_RAY);
            if (all) {
                aPartThatDoesNotStartIsNamedWithAllLogs(cluster, cli);
            }
            Path model = StandIn.model(cluster, "{}");
            JsonNode plan = Cli.parse(cli.run(planWords(model)).orFail().stdout());
            assertThat(plan.at("/engines/0/parts").findValuesAsText("actor"))
                    .containsExactly("SGLangServerGroup:0", "SGLangServerGroup:0/1");
            try (InsideProcess up = cli.up(model, FLEET)) {
                String url = Cli.awaitReport(up).path("api_url").asText();
                assertThat(url).isNotEmpty();
                assertThat(answer(cli)).contains("hello");
                assertThat(nodes(engine(cli, 0))).containsExactly("10.9.0.1", "10.9.0.2");
                assertThat(cli.run("logs", "0/1").orFail().stdout())
                        .contains("stand-in engine: part 1 of 2 has met the others")
                        .doesNotContain("==>");
                assertThat(cli.run("logs", "0").orFail().stdout()).contains("==> engine 0/0: ", "==> engine 0/1: ");

                eachPartEndsTheEngineAndAllComeBack(
                        cluster, cli, all ? List.of("/pid", "/parts/0/pid", "/workerPid", "/parts/0/workerPid") : OLD);
                if (all) {
                    aStoppedPartEndsTheEngine(cluster, cli);
                    scalesAndMoves(cluster, cli);
                }
                up.signalGroup("INT");
                assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
            }
            cluster.assertNothingLeft();
        }
    }

    private static String[] planWords(Path model) {
        List<String> words = new ArrayList<>(List.of(
                "plan", "--json", "-c", Cli.config("fleet.yaml").toString(), "router_server_args.model_path=" + model));
        Collections.addAll(words, FLEET);
        return words.toArray(String[]::new);
    }

    private static void aPartThatDoesNotStartIsNamedWithAllLogs(TestCluster cluster, Cli cli) {
        Path model = StandIn.model(
                cluster, "{\"part_dies_on\": \"" + cluster.nodes().get(1).name() + "\"}");
        try (InsideProcess up = cli.up(model, FLEET)) {
            ExitResult result = up.await(Cli.DEADLINE);
            assertThat(result.code()).isEqualTo(1);
            assertThat(result.stderr())
                    .contains("part 1 on 10.9.0.2", "exit code 7", "CUDA out of memory")
                    .contains("Last lines of the log of part 0 on 10.9.0.1")
                    .contains("stand-in engine: loading");
        }
        cluster.assertNothingLeft();
    }

    private static void eachPartEndsTheEngineAndAllComeBack(TestCluster cluster, Cli cli, List<String> victims) {
        JsonNode before = engine(cli, 0);
        for (String victim : victims) {
            signal(cluster, before, victim, "KILL");
            before = awaitNew(cli, before, "after the kill of " + victim);
        }
    }

    private static void aStoppedPartEndsTheEngine(TestCluster cluster, Cli cli) {
        JsonNode before = engine(cli, 0);
        signal(cluster, before, "/parts/0/pid", "STOP");
        before = awaitNew(cli, before, "after the stop of part 1");
        assertThat(cli.run("events").orFail().stdout()).contains("part 1 on 10.9.0.2");
        cli.run("restart").orFail();
        JsonNode after = awaitNew(cli, before, "after a restart");
        assertThat(after.path("url")).isEqualTo(before.path("url"));
        assertThat(answer(cli)).contains("hello");
    }

    private static void scalesAndMoves(TestCluster cluster, Cli cli) {
        cli.run("scale", "--engines", "2").orFail();
        assertThat(nodes(engine(cli, 1))).containsExactly("10.9.0.3", "10.9.0.4");
        ExitResult full = cli.run("scale", "--engines", "3");
        assertThat(full.code()).isNotZero();
        assertThat(full.stderr()).contains("2 nodes with 1 piece of hardware each");
        cli.run("scale", "--engines", "1").orFail();

        ClusterNode lost = cluster.nodes().get(1);
        JsonNode before = engine(cli, 0);
        cluster.kill(ThreeNodesIT.raylet(cluster, lost));
        Awaitility.await("the engine moves as a whole").atMost(Cli.DEADLINE).untilAsserted(() -> {
            JsonNode status = Cli.json(cli.run("status", "--json").stdout());
            assertThat(status.path("verdict").asText()).isEqualTo("HEALTHY");
            assertThat(nodes(engine(status, 0))).doesNotContain("10.9.0.2");
        });
        assertThat(answer(cli)).contains("hello");
        assertThat(engine(cli, 0).path("pid")).isNotEqualTo(before.path("pid"));
        cluster.startAgain(lost);
    }

    static void signal(TestCluster cluster, JsonNode engine, String victim, String signal) {
        ClusterNode node = cluster.nodes().get(victim.startsWith("/parts") ? 1 : 0);
        long pid = engine.at(victim).asLong();
        cluster.signal(
                cluster.onNode(node).stream()
                        .filter(row -> row.innerPid() == pid)
                        .findFirst()
                        .orElseThrow(() -> new AssertionError("no process " + pid + " in " + engine)),
                signal);
    }

    static JsonNode awaitNew(Cli cli, JsonNode before, String when) {
        AtomicReference<JsonNode> after = new AtomicReference<>(before);
        Awaitility.await("both parts are new " + when).atMost(Cli.DEADLINE).untilAsserted(() -> {
            JsonNode status = Cli.json(cli.run("status", "--json").stdout());
            JsonNode now = engine(status, 0);
            assertThat(status.path("verdict").asText()).as(status.toString()).isEqualTo("HEALTHY");
            assertThat(now.path("pid").asLong())
                    .isPositive()
                    .isNotEqualTo(before.path("pid").asLong());
            assertThat(now.at("/parts/0/pid").asLong())
                    .isPositive()
                    .isNotEqualTo(before.at("/parts/0/pid").asLong());
            after.set(now);
        });
        return Objects.requireNonNull(after.get());
    }

    private static String answer(Cli cli) {
        return cli.run("generate", "hello").orFail().stdout();
    }

    static JsonNode engine(Cli cli, int rank) {
        return engine(Cli.json(cli.run("status", "--json").stdout()), rank);
    }

    private static JsonNode engine(JsonNode status, int rank) {
        for (JsonNode worker : status.path("workers")) {
            if (worker.path("kind").asText().equals("server")
                    && worker.path("rank").asInt() == rank) {
                return worker;
            }
        }
        throw new AssertionError("no engine " + rank + " in " + status);
    }

    static List<String> nodes(JsonNode engine) {
        List<String> nodes = new ArrayList<>(List.of(engine.path("nodeIp").asText()));
        engine.path("parts").forEach(part -> nodes.add(part.path("nodeIp").asText()));
        return nodes;
    }
}
