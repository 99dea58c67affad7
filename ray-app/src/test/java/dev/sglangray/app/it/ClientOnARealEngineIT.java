/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.client.BatchOptions;
import dev.sglangray.client.ChatChunk;
import dev.sglangray.client.ChatRequest;
import dev.sglangray.client.CompletionRequest;
import dev.sglangray.client.EngineControl;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.GenerateResponse;
import dev.sglangray.client.Generation;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.client.StreamIterator;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The client on a real engine, without Ray: streams, cancellation, batches, control calls. */
@Tag("sglang")
class ClientOnARealEngineIT {
    private static final Duration LOADING = Duration.ofMinutes(6);
    /** Nearly all that the tiny model's context holds: some 15 s of work. */
    private static final int LONG = 2000;

    /** How long an engine may take to drop a request that was aborted; without an abort it takes some seconds more. */
    private static final Duration DROPPING = Duration.ofSeconds(30);

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path folder;

    private static Process engine;
    private static InferenceHttpClient client;

    @BeforeAll
    static void start() throws Exception {
        int port = freePort();
        Path model = folder.resolve("model");
        Process made = python("-m", "sglang_ray.tiny_model", model.toString()).start();
        assertThat(made.waitFor(2, TimeUnit.MINUTES)).isTrue();
        assertThat(made.exitValue()).isZero();
        engine = python("-m", "sglang_ray.serve").start();
        String spec = ("{\"kind\": \"srt\", \"dist_port\": %d, \"server_args\": {\"model_path\": \"%s\", \"host\":"
                        + " \"127.0.0.1\", \"port\": %d, \"enable_metrics\": true}}")
                .formatted(freePort(), model, port);
        engine.getOutputStream().write(spec.getBytes(StandardCharsets.UTF_8));
        engine.getOutputStream().close();
        client = InferenceHttpClient.of("http://127.0.0.1:" + port);
        await().atMost(LOADING).pollInterval(Duration.ofSeconds(1)).until(() -> {
            assertThat(engine.isAlive())
                    .as("the engine lives; its log: %s", folder.resolve("log"))
                    .isTrue();
            return client.health();
        });
    }

    @AfterAll
    static void stop() {
        client.close();
        List<ProcessHandle> all = engine.descendants().toList();
        engine.destroy();
        all.forEach(ProcessHandle::destroyForcibly);
        engine.destroyForcibly();
    }

    @Test
    void streamsSayWhatTheWholeAnswerSays() {
        GenerateRequest request = greedy(16).build();
        String whole = client.generate(request).text();
        try (StreamIterator<Generation> events = client.generateStream(request).open()) {
            List<Generation> all = events.toList();
            assertThat(all).hasSizeGreaterThan(1);
            assertThat(all.get(all.size() - 1).text()).isEqualTo(whole);
        }
        ChatRequest chat = ChatRequest.builder()
                .user("Hello")
                .extra("temperature", 0)
                .extra("max_tokens", 8)
                .build();
        StringBuilder text = new StringBuilder();
        try (StreamIterator<ChatChunk> events =
                client.chatCompletionStream(chat).open()) {
            events.forEachRemaining(event -> text.append(event.text()));
        }
        assertThat(text.toString()).isEqualTo(client.chatCompletion(chat).text());
    }

    @Test
    void leavingAStreamEndsItOnTheEngine() throws Exception {
        double aborted = metric("sglang:num_aborted_requests_total");
        try (StreamIterator<Generation> events =
                client.generateStream(greedy(LONG).build()).open()) {
            events.next();
        }
        await().until(() -> metric("sglang:num_aborted_requests_total") == aborted + 1);
        await().atMost(DROPPING).until(() -> metric("sglang:num_running_reqs") == 0);
    }

    @Test
    void cancellingFuturesEndsThemOnTheEngine() throws Exception {
        double aborted = metric("sglang:num_aborted_requests_total");
        CompletableFuture<List<GenerateResponse>> all = client.generateAllAsync(
                List.of(greedy(LONG).build(), greedy(LONG).build(), greedy(LONG).build()), BatchOptions.DEFAULT);
        await().until(() -> metric("sglang:num_running_reqs") > 0);
        all.cancel(true);
        await().until(() -> metric("sglang:num_aborted_requests_total") == aborted + 3);
        await().atMost(DROPPING).until(() -> metric("sglang:num_running_reqs") == 0);
        assertThat(client.generate(greedy(4).build()).text()).isNotNull();
    }

    @Test
    void batchesLogprobsModelsAndControlCalls() {
        GenerateResponse batch = client.generateAsync(GenerateRequest.builder()
                        .texts(List.of("a", "b"))
                        .samplingParam("max_new_tokens", 4)
                        .returnLogprob(true)
                        .build())
                .join();
        assertThat(batch.generations())
                .hasSize(2)
                .allSatisfy(generation -> assertThat(generation.metaInfo().outputTokenLogprobs())
                        .hasSize(generation.metaInfo().completionTokens()));
        assertThat(client.completion(CompletionRequest.of("a").with("max_tokens", 4))
                        .choices())
                .hasSize(1);
        assertThat(client.models()).hasSize(1);
        EngineControl control = client.control();
        assertThat(control.serverInfo().has("model_path")).isTrue();
        control.pauseGeneration();
        control.continueGeneration();
        control.flushCache();
        assertThat(control.updateWeightsFromDisk(folder.resolve("model").toString(), Map.of("weight_version", "2"))
                        .path("success")
                        .asBoolean())
                .isTrue();
        assertThat(client.generate(greedy(4).build()).single().metaInfo().weightVersion())
                .contains("2");
    }

    private static GenerateRequest.Builder greedy(int tokens) {
        return GenerateRequest.builder()
                .text("Once upon a time")
                .samplingParam("temperature", 0)
                .samplingParam("ignore_eos", true)
                .samplingParam("max_new_tokens", tokens);
    }

    /** What the engine counts; 0 before it counts anything. */
    private static double metric(String name) throws IOException, InterruptedException {
        HttpResponse<String> metrics = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(client.baseUrl() + "/metrics"))
                                .version(HttpClient.Version.HTTP_1_1)
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
        return metrics.body()
                .lines()
                .filter(line -> line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .max()
                .orElse(0);
    }

    private static ProcessBuilder python(String... arguments) {
        ProcessBuilder builder =
                new ProcessBuilder(PythonEnvironment.withSglang().python().toString());
        builder.command().addAll(List.of(arguments));
        builder.environment()
                .put(
                        "PYTHONPATH",
                        PythonEnvironment.repository()
                                .resolve("python-bridge/src/main/python")
                                .toString());
        return builder.redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
