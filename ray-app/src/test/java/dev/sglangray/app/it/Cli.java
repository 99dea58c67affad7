/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cluster.ClusterNode;
import dev.sglangray.app.cluster.ExitResult;
import dev.sglangray.app.cluster.InsideProcess;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.cluster.TestCluster;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The program {@code sglang-ray} as it is packaged, run on the head of a test cluster. */
final class Cli {

    /** Never reached by what works, however busy the machine is. */
    static final Duration DEADLINE = Duration.ofMinutes(4);

    private static final ObjectMapper JSON = new ObjectMapper();

    private final TestCluster cluster;
    private final ClusterNode node;
    private final Map<String, String> environment;

    /** On the head, with the cluster's Python and RAY_ADDRESS, as a user would have it there. */
    Cli(TestCluster cluster) {
        this(
                cluster,
                cluster.head(),
                Map.of(
                        "RAY_ADDRESS",
                        cluster.address(),
                        "SGLANG_RAY_PYTHON",
                        cluster.python().python().toString()));
    }

    /** Elsewhere, or with other variables. */
    Cli(TestCluster cluster, ClusterNode node, Map<String, String> environment) {
        this.cluster = cluster;
        this.node = node;
        this.environment = Map.copyOf(environment);
    }

    /** The folder with the start script and the jar. */
    static Path dist() {
        Path dist = PythonEnvironment.repository().resolve("ray-app/target/dist");
        if (!Files.exists(dist.resolve("sglang-ray.jar"))) {
            throw new AssertionError("no sglang-ray.jar in " + dist + "; build it with: mvn -DskipTests package");
        }
        return dist;
    }

    /** A configuration of the test resources. */
    static Path config(String name) {
        try {
            return Path.of(
                    Objects.requireNonNull(Cli.class.getResource(name), name).toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    InsideProcess start(String... arguments) {
        List<String> command =
                new ArrayList<>(List.of(dist().resolve("sglang-ray").toString()));
        command.addAll(Arrays.asList(arguments));
        return cluster.spawn(node, command, environment);
    }

    ExitResult run(String... arguments) {
        try (InsideProcess process = start(arguments)) {
            return process.await(DEADLINE);
        }
    }

    /** What is to be done at the end of a block; where the block failed first, a failure here does not take the place of its. */
    @FunctionalInterface
    interface Ending extends AutoCloseable {
        @Override
        void close();
    }

    /** Ends the fleet of the usual group names at the end of a block. */
    Ending downAtEnd() {
        return () -> run("down").orFail();
    }

    /** {@code up --json} with the guide's configuration, a model and overrides. */
    InsideProcess up(Path model, String... more) {
        return start(upWords(config("fleet.yaml"), model, more, "--json"));
    }

    /** {@code up} as a person sees it. */
    InsideProcess upWithProgress(Path model, String... more) {
        return start(upWords(config("fleet.yaml"), model, more));
    }

    /** The words of {@code up} for a configuration, a model and more options and overrides. */
    static String[] upWords(Path config, Path model, String[] more, String... first) {
        List<String> words = new ArrayList<>(List.of("up"));
        words.addAll(Arrays.asList(first));
        words.addAll(List.of("-c", config.toString(), "router_server_args.model_path=" + model));
        words.addAll(Arrays.asList(more));
        return words.toArray(String[]::new);
    }

    /** Waits until {@code up --json} has printed its report, and reads it. */
    static JsonNode awaitReport(InsideProcess up) {
        up.awaitOutput("\"api_url\"", DEADLINE);
        return json(up.stdout());
    }

    /** The last line that is a JSON object. */
    static JsonNode json(String text) {
        String line = text.lines()
                .filter(candidate -> candidate.startsWith("{"))
                .reduce((first, second) -> second)
                .orElseThrow(() -> new AssertionError("no JSON in: " + text));
        try {
            return JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + line, e);
        }
    }

    static JsonNode parse(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + text, e);
        }
    }
}
