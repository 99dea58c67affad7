/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.OnCluster;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.StandIn;
import dev.sglangray.app.cluster.TestCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A live fleet gets more engines and fewer, under load. */
@OnCluster
@Tag("ray")
class ScaleIT {
    private static final double REQUESTS_PER_SECOND = 20;

    @Test
    void growsAndShrinksUnderLoad(TestCluster cluster) throws IOException {
        Cli cli = new Cli(cluster);
        Path model = StandIn.model(cluster, "{}");
        try (InsideProcess up = cli.up(
                        model, "cluster.component_placement.rollout=0-1", "router_server_args.tensor_parallel_size=1");
                SteadyLoad load = new SteadyLoad(
                        cluster, Cli.awaitReport(up).path("api_url").asText(), REQUESTS_PER_SECOND)) {
            String url = Cli.json(up.stdout()).path("api_url").asText();
            assertThat(hosts(cluster, url, 2)).containsExactly("node-a", "node-a");

            assertThat(scale(cli, load, "--by", "2")).contains("2 engine(s) before, now 4");
            assertThat(hosts(cluster, url, 4)).containsExactly("node-a", "node-a", "node-b", "node-b");
            assertThat(groups(cluster))
                    .containsExactlyInAnyOrder("sglang-ray/SGLangServerGroup", "sglang-ray/SGLangServerGroup/scale-1");
            assertThat(sizes(cli)).containsExactly(4, 4, 4, 4);

            ExitResult refused = cli.run("scale", "--engines", "5");
            assertThat(refused.code()).as(refused.toString()).isEqualTo(1);
            assertThat(refused.stderr())
                    .contains("there is no place for 1 of 1 further engine(s)", "10.9.0.2", "GPU 0")
                    .doesNotContain("unexpected");

            assertThat(scale(cli, load, "--engines", "1")).contains("4 engine(s) before, now 1");
            assertThat(hosts(cluster, url, 1)).containsExactly("node-a");
            assertThat(groups(cluster)).containsExactly("sglang-ray/SGLangServerGroup");
            assertThat(sizes(cli)).containsExactly(1);

            aFailedStartLeavesTheFleetAsItWas(cluster, cli, model);
            assertThat(groups(cluster)).containsExactly("sglang-ray/SGLangServerGroup");

            assertThat(scale(cli, load, "--by", "1")).contains("1 engine(s) before, now 2");
            assertThat(hosts(cluster, url, 2))
                    .as("in the bundle that it still had")
                    .containsExactly("node-a", "node-a");
            assertThat(groups(cluster)).containsExactly("sglang-ray/SGLangServerGroup");
            anInterruptedDrainLeavesNoEngineDrained(cluster, cli);
            load.refresh();
            assertThat(SteadyLoad.failures(load.between(0, Double.MAX_VALUE))).isEmpty();
            up.signalGroup("INT");
            assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
        }
        cluster.assertNothingLeft();
    }

    /** Both a bundle that the fleet still has and one that it reserves are tried and given back. */
    private static void aFailedStartLeavesTheFleetAsItWas(TestCluster cluster, Cli cli, Path model) throws IOException {
        Files.writeString(model.resolve("standin.json"), "{\"last_words\": \"no such weights\"}");
        ExitResult failed = cli.run("scale", "--by", "2");
        Files.writeString(model.resolve("standin.json"), "{}");
        assertThat(failed.code()).as(failed.toString()).isEqualTo(1);
        assertThat(failed.stderr()).contains("no such weights").doesNotContain("unexpected");
        assertThat(sizes(cli)).containsExactly(1);
        assertThat(cluster.actors().findValuesAsText("name"))
                .as("living workers")
                .contains("SGLangServerGroup:0");
    }

    private static void anInterruptedDrainLeavesNoEngineDrained(TestCluster cluster, Cli cli) {
        String engine = engine(cli, 0).path("url").asText();
        String program = "import sys, urllib.request as r\n"
                + "r.urlopen(r.Request(sys.argv[1] + '/generate', b'{\"text\": \"x\", \"seconds\": 90}',"
                + " {'Content-Type': 'application/json'})).read()";
        List<String> command = List.of(cluster.python().python().toString(), "-c", program, engine);
        try (InsideProcess request = cluster.spawn(cluster.head(), command, Map.of());
                InsideProcess restart = cli.start("restart", "--rolling")) {
            Awaitility.await("the engine is drained and still has the request")
                    .atMost(Cli.DEADLINE)
                    .until(() -> engine(cli, 0).path("state").asText().equals("DRAINED"));
            restart.signalGroup("INT");
            assertThat(restart.await(Cli.DEADLINE).code()).as(restart.stderr()).isEqualTo(130);
            assertThat(request.isAlive()).as("the engine was not restarted").isTrue();
            JsonNode status = Cli.json(cli.run("status", "--json").orFail().stdout());
            assertThat(status.path("verdict").asText()).as(status.toString()).isEqualTo("HEALTHY");
            assertThat(status.path("registered").findValuesAsText("url")).contains(engine);
        }
    }

    private static JsonNode engine(Cli cli, int rank) {
        for (JsonNode worker :
                Cli.json(cli.run("status", "--json").orFail().stdout()).path("workers")) {
            if (worker.path("kind").asText().equals("server")
                    && worker.path("rank").asInt() == rank) {
                return worker;
            }
        }
        throw new AssertionError("no engine " + rank);
    }

    @Test
    void endsWithAllThatAChangeHadStarted(TestCluster cluster) throws IOException {
        Cli cli = new Cli(cluster);
        Path model = StandIn.model(cluster, "{}");
        try (InsideProcess up = cli.upWithProgress(
                model, "cluster.component_placement.rollout=0-1", "router_server_args.tensor_parallel_size=1")) {
            up.awaitOutput("Ctrl-C ends the fleet", Cli.DEADLINE);
            growsFromPythonBetweenTwoUpdates(cluster);
            up.awaitOutput("the fleet has 3 engine(s) now", Cli.DEADLINE);
            Files.writeString(model.resolve("standin.json"), "{\"load_seconds\": 600}");
            try (InsideProcess scale = cli.start("scale", "--by", "1")) {
                scale.awaitOutput("1 STARTING", Cli.DEADLINE);
                ExitResult second = cli.run("scale", "--by", "1");
                assertThat(second.code()).isEqualTo(1);
                assertThat(second.stderr()).contains("are being changed already");
                up.signalGroup("INT");
                assertThat(up.await(Cli.DEADLINE).code()).as(up.stderr()).isEqualTo(130);
                assertThat(scale.await(Cli.DEADLINE).code()).isEqualTo(1);
            }
        }
        cluster.assertNothingLeft();
    }

    private static void growsFromPythonBetweenTwoUpdates(TestCluster cluster) {
        List<String> command = List.of(
                cluster.python().python().toString(),
                Cli.config("scale.py").toString(),
                cluster.address(),
                StandIn.model(cluster, "{}").toString(),
                "3");
        Path sources = PythonEnvironment.repository().resolve("python-bridge/src/main/python");
        try (InsideProcess python = cluster.spawn(cluster.head(), command, Map.of("PYTHONPATH", sources.toString()))) {
            assertThat(python.await(Cli.DEADLINE).orFail().stdout().lines())
                    .containsExactly(
                            "added [2], 3 engines, known 2",
                            "versions ['step-1', 'step-1', 'step-1']",
                            "known 2, without the next weights ()",
                            "known after refresh 3, versions ['step-2', 'step-2', 'step-2']",
                            "bundles [(0, '10.9.0.1'), (1, '10.9.0.1'), (0, '10.9.0.2')]",
                            "groups 2, last 1",
                            "refused SGLangServerGroup, rank 4: there is no place for 95 of 96 further engine(s): each needs"
                                    + " 1 piece of hardware of one node in cluster (Accelerator: 4, on node ranks 0-1).");
        }
    }

    private static String scale(Cli cli, SteadyLoad load, String... how) {
        load.refresh();
        List<String> words = new ArrayList<>(List.of("scale"));
        words.addAll(List.of(how));
        return cli.run(words.toArray(String[]::new)).orFail().stderr();
    }

    /** The nodes of all engines that answer, one entry each. Other requests share the router's turns with these. */
    private static List<String> hosts(TestCluster cluster, String url, int engines) {
        JsonNode request = JsonNodeFactory.instance.objectNode().put("text", "who?");
        Map<Long, String> hosts = new HashMap<>();
        Awaitility.await(engines + " engines that answer").atMost(Cli.DEADLINE).untilAsserted(() -> {
            JsonNode answer = cluster.post(url + "/generate", request);
            assertThat(answer.path("status").asInt()).as(answer.toString()).isEqualTo(200);
            JsonNode facts = Cli.parse(answer.path("text").asText()).path("meta_info");
            hosts.put(facts.path("pid").asLong(), facts.path("host_name").asText());
            assertThat(hosts).hasSizeGreaterThanOrEqualTo(engines);
        });
        return hosts.values().stream().sorted().toList();
    }

    private static List<Integer> sizes(Cli cli) {
        List<Integer> sizes = new ArrayList<>();
        JsonNode status = Cli.json(cli.run("status", "--json").orFail().stdout());
        status.path("workers").forEach(worker -> {
            if (worker.path("kind").asText().equals("server")) {
                sizes.add(worker.path("groupSize").asInt());
            }
        });
        return sizes;
    }

    private static List<String> groups(TestCluster cluster) {
        List<String> names = new ArrayList<>();
        cluster.placementGroups().forEach(group -> {
            if (group.path("state").asText().equals("CREATED")) {
                names.add(group.path("name").asText());
            }
        });
        return names;
    }
}
