/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.app.cluster.ClusterSpec;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.NodeSpec;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.Services;
import dev.sglangray.app.cluster.TestCluster;
import dev.sglangray.app.drivers.RealWeightsDriver;
import dev.sglangray.app.drivers.UseDriver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code ray job submit} on two nodes with real engines, and every handle of the guide used on them. */
@Tag("sglang")
class RealFleetIT {

    private static final Duration LOADING = Duration.ofMinutes(6);

    private static final String KEY = "open-sesame-1234";

    @Test
    void isSubmittedUsedAndShutDown() throws IOException {
        NodeSpec node = NodeSpec.onProcessor(1).withEnvironment("ENGINE_KEY", KEY);
        ClusterSpec two =
                new ClusterSpec(PythonEnvironment.NEWEST_RAY, List.of(node, node), Services.RAY_AND_DASHBOARD);
        try (TestCluster cluster = TestCluster.start(two)) {
            SubmittedJob job = new SubmittedJob(cluster, "real-fleet");
            try (InsideProcess submit = job.submit(
                    "router_server_args.model_path=" + tinyModel(cluster, 0),
                    "router_server_args.tensor_parallel_size=1",
                    "router_server_args.server.log_level=info",
                    "+router_server_args.server.api_key='${oc.env:ENGINE_KEY}'")) {
                submit.awaitOutput(SubmittedJob.SERVES, LOADING);
                String url = SubmittedJob.url(submit);
                assertThat(generated(cluster, url)).isNotBlank().isEqualTo(generated(cluster, url));

                ExitResult trained = new Driver(cluster, RealWeightsDriver.class)
                        .run(Cli.config("fleet.yaml"), tinyModel(cluster, 1).toString())
                        .orFail();
                assertThat(trained.stdout().lines())
                        .containsSubsequence(
                                "before, by [default], texts 1",
                                "updated true, by [trained], texts 1, other answers true",
                                "in place true, by [again]",
                                "paused and continued, the same answers true",
                                "in the end, by [again]")
                        .anyMatch(line -> line.startsWith("refused ") && line.contains("enable_memory_saver"))
                        .anyMatch(line -> line.startsWith("not joined: "));

                assertNoSecretShows(cluster);
                ExitResult used = new Driver(cluster, UseDriver.class)
                        .run(Cli.config("fleet.yaml"))
                        .orFail();
                assertThat(used.stdout().lines())
                        .contains("listed 2", "unregistered true, listed 1", "registered again, listed 2")
                        .contains("shutdown [true] [true, true]");
                submit.await(Cli.DEADLINE);
            } catch (AssertionError e) {
                cluster.saveLogs();
                throw e;
            }
            cluster.assertNothingLeft();
        }
    }

    /** Not in a log of Ray, of SGLang or of ours, and not in the process list. */
    private static void assertNoSecretShows(TestCluster cluster) {
        assertThat(cluster.processes()).noneMatch(row -> row.command().contains(KEY));
        ExitResult found = cluster.exec(cluster.head(), Duration.ofMinutes(1), "grep", "-rl", KEY, "/tmp/ray");
        assertThat(found.stdout()).as("files with the engines' key").isEmpty();
        ExitResult named =
                cluster.exec(cluster.head(), Duration.ofMinutes(1), "grep", "-rl", "server_args=", "/tmp/ray");
        assertThat(named.stdout()).as("files where SGLang wrote its arguments").isNotEmpty();
    }

    private static String generated(TestCluster cluster, String url) {
        ObjectNode request = JsonNodeFactory.instance.objectNode().put("text", "Once upon a time");
        request.putObject("sampling_params").put("temperature", 0).put("max_new_tokens", 8);
        JsonNode answer = cluster.post(url + "/generate", request);
        assertThat(answer.path("status").asInt()).as(answer.toString()).isEqualTo(200);
        return Cli.parse(answer.path("text").asText()).path("text").asText();
    }

    static Path tinyModel(TestCluster cluster, int seed) {
        Path model = cluster.logs().resolve("tiny-model-" + seed);
        String python = PythonEnvironment.withSglang().python().toString();
        String source = PythonEnvironment.repository()
                .resolve("python-bridge/src/main/python")
                .toString();
        cluster.exec(
                        cluster.head(),
                        Duration.ofMinutes(2),
                        "env",
                        "PYTHONPATH=" + source,
                        python,
                        "-m",
                        "sglang_ray.tiny_model",
                        "--seed",
                        Integer.toString(seed),
                        model.toString())
                .orFail();
        return model;
    }
}
