/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.docs.DocBlock;
import dev.sglangray.client.BatchOptions;
import dev.sglangray.client.ChatChunk;
import dev.sglangray.client.ChatRequest;
import dev.sglangray.client.ChatResponse;
import dev.sglangray.client.CompletionRequest;
import dev.sglangray.client.ContinuedGeneration;
import dev.sglangray.client.EngineControl;
import dev.sglangray.client.EventStream;
import dev.sglangray.client.GenerateRequest;
import dev.sglangray.client.GenerateResponse;
import dev.sglangray.client.Generation;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.client.StreamIterator;
import dev.sglangray.client.Tool;
import dev.sglangray.client.ToolCall;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The client on a real engine, directly and through the real router: streams, cancellation, batches, control calls; and OpenAI's
 * clients through the router.
 */
@Tag("sglang")
class ClientOnARealEngineIT {
    /** Nearly all that the tiny model's context holds: some 15 s of work. */
    private static final int LONG = 2000;

    /** How long an engine may take to drop a request that was aborted; without an abort it takes some seconds more. */
    private static final Duration DROPPING = Duration.ofSeconds(30);

    private static final String RUNNING = "sglang:num_running_reqs";
    private static final String ABORTED = "sglang:num_aborted_requests_total";

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path folder;

    private static RealEngine engine;
    private static InferenceHttpClient direct;
    private static InferenceHttpClient routed;

    /** Which way requests go. */
    private enum Via {
        ENGINE,
        ROUTER;

        InferenceHttpClient client() {
            return this == ENGINE ? direct : routed;
        }
    }

    @BeforeAll
    static void start() throws Exception {
        engine = RealEngine.start(folder);
        direct = InferenceHttpClient.of(engine.url());
        routed = InferenceHttpClient.of(engine.routerUrl());
    }

    @AfterAll
    static void stop() {
        direct.close();
        routed.close();
        engine.close();
    }

    @ParameterizedTest
    @EnumSource
    void streamsSayWhatTheWholeAnswerSays(Via via) {
        InferenceHttpClient client = via.client();
        GenerateRequest request = greedy(16).build();
        String whole = client.generate(request).text();
        try (StreamIterator<Generation> events = client.generateStream(request).open()) {
            List<Generation> all = events.toList();
            assertThat(all).hasSizeGreaterThan(1);
            assertThat(all.get(all.size() - 1).text()).isEqualTo(whole).isNotBlank();
        }
        ChatRequest chat = chat(8).build();
        StringBuilder text = new StringBuilder();
        try (StreamIterator<ChatChunk> events =
                client.chatCompletionStream(chat).open()) {
            events.forEachRemaining(event -> text.append(event.text()));
        }
        assertThat(text.toString())
                .isEqualTo(client.chatCompletion(chat).text())
                .isNotBlank();
        assertThat(client.completion(CompletionRequest.of("a").with("max_tokens", 4))
                        .choices())
                .hasSize(1);
        assertThat(client.models()).hasSize(1);
    }

    /** The connection breaks in the middle of the generation, as when an engine dies; the rest comes over another one. */
    @Test
    void aBrokenGenerationHasTheTokensOfAnUndisturbedOne() throws Exception {
        GenerateRequest request = GenerateRequest.builder()
                .inputIds(IntStream.range(100, 140).boxed().toList())
                .samplingParam("temperature", 0.0)
                .samplingParam("max_new_tokens", 48)
                .samplingParam("ignore_eos", true)
                .build();
        List<Integer> undisturbed = direct.generate(request).single().outputIds();
        assertThat(undisturbed).hasSize(48);

        try (ServerSocket breaking = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
                InferenceHttpClient client = InferenceHttpClient.of("http://127.0.0.1:" + breaking.getLocalPort())) {
            Thread relay = new Thread(() -> relay(breaking, engine.url()), "breaking-relay");
            relay.start();
            ContinuedGeneration answer = client.generateContinued(request, 1);
            breaking.close();
            relay.join();

            assertThat(answer.parts()).hasSize(2);
            assertThat(answer.outputIds()).isEqualTo(undisturbed);
            assertThat(answer.finishReason()).contains("length");
        }
    }

    /** Passes each connection on to an engine, and breaks the first one after some events of its answer. */
    private static void relay(ServerSocket server, String url) {
        int port = URI.create(url).getPort();
        int connections = 0;
        while (true) {
            try (Socket client = server.accept();
                    Socket engine = new Socket(URI.create(url).getHost(), port)) {
                Thread up = new Thread(() -> copy(client, engine, Integer.MAX_VALUE), "breaking-relay-up");
                up.start();
                copy(engine, client, connections++ == 0 ? 8_000 : Integer.MAX_VALUE);
                client.close();
                engine.close();
                up.join();
            } catch (IOException e) {
                return; // the test has ended
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private static void copy(Socket from, Socket to, int most) {
        try {
            byte[] buffer = new byte[1024];
            int copied = 0;
            for (int read = from.getInputStream().read(buffer);
                    read >= 0 && copied < most;
                    read = from.getInputStream().read(buffer)) {
                to.getOutputStream().write(buffer, 0, read);
                copied += read;
            }
        } catch (IOException e) {
            // One of the two has ended the connection.
        }
    }

    /**
     * The client and the router pass on which trace a request belongs to, and so do the engine's spans. A router that sends spans of
     * its own begins another trace: sglang-router 0.3.2 does, smg does not.
     */
    @Test
    void theSpansOfTheEngineBelongToTheTraceOfTheCaller() throws Exception {
        String trace = "0af7651916cd43dd8448eb211c80319c";
        routed.withOptions(options -> options.withHeader("traceparent", "00-" + trace + "-b7ad6b7169203331-01"))
                .generate(greedy(4).build());
        await().atMost(DROPPING).untilAsserted(() -> assertThat(services(trace)).contains("sglang"));
    }

    private static Set<String> services(String trace) throws Exception {
        Set<String> services = new TreeSet<>();
        for (JsonNode span : new ObjectMapper().readTree(engine.spans())) {
            if (span.path("trace").asText().equals(trace)) {
                services.add(span.path("service").asText());
            }
        }
        return services;
    }

    @ParameterizedTest
    @EnumSource
    void leavingAStreamEndsItOnTheEngine(Via via) throws Exception {
        for (EventStream<?> stream : List.of(
                via.client().generateStream(greedy(LONG).build()),
                via.client()
                        .chatCompletionStream(
                                chat(LONG).extra("ignore_eos", true).build()))) {
            double aborted = engine.metric(ABORTED);
            try (StreamIterator<?> events = stream.open()) {
                events.next();
            }
            awaitAborted(aborted + 1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void cancellingFuturesEndsThemOnTheEngine(Via via) throws Exception {
        InferenceHttpClient client = via.client();
        double aborted = engine.metric(ABORTED);
        CompletableFuture<List<GenerateResponse>> all = client.generateAllAsync(
                List.of(greedy(LONG).build(), greedy(LONG).build(), greedy(LONG).build()), BatchOptions.DEFAULT);
        CompletableFuture<ChatResponse> answer =
                client.chatCompletionAsync(chat(LONG).extra("ignore_eos", true).build());
        await().until(() -> engine.metric(RUNNING) == 4);
        all.cancel(true);
        answer.cancel(true);
        awaitAborted(aborted + 4);
        assertThat(client.generate(greedy(4).build()).single().metaInfo().completionTokens())
                .isEqualTo(4);
    }

    @ParameterizedTest
    @EnumSource
    void toolsAreCalled(Via via) {
        Map<String, Object> city = Map.of("type", "string", "enum", List.of("Paris"));
        Tool weather = new Tool(
                "weather",
                "tells the weather",
                Map.of("type", "object", "properties", Map.of("city", city), "required", List.of("city")));
        ChatResponse answer = via.client()
                .chatCompletion(chat(100).tool(weather).toolChoice("required").build());
        ToolCall call = answer.choices().get(0).message().toolCalls().get(0);
        assertThat(call.name()).isEqualTo("weather");
        assertThat(call.argumentsJson().path("city").asText()).isEqualTo("Paris");
    }

    @Test
    void batchesLogprobsAndControlCalls() {
        GenerateResponse batch = direct.generateAsync(GenerateRequest.builder()
                        .texts(List.of("a", "b"))
                        .samplingParam("max_new_tokens", 4)
                        .returnLogprob(true)
                        .build())
                .join();
        assertThat(batch.generations())
                .hasSize(2)
                .allSatisfy(generation -> assertThat(generation.metaInfo().outputTokenLogprobs())
                        .hasSize(generation.metaInfo().completionTokens()));
        EngineControl control = direct.control();
        assertThat(control.serverInfo().has("model_path")).isTrue();
        control.pauseGeneration();
        control.continueGeneration();
        control.flushCache();
        assertThat(control.updateWeightsFromDisk(engine.model().toString(), Map.of("weight_version", "2"))
                        .path("success")
                        .asBoolean())
                .isTrue();
        assertThat(direct.generate(greedy(4).build()).single().metaInfo().weightVersion())
                .contains("2");
    }

    @Test
    void openAiForJava() {
        assertThat(OpenAiExample.run(engine.routerUrl())).containsExactlyElementsOf(expected());
    }

    @Test
    void openAiForPython() throws Exception {
        Process python = new ProcessBuilder(
                        PythonEnvironment.withSglang().python().toString(),
                        "-c",
                        DocBlock.marked("code: openai-python"),
                        engine.routerUrl())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(python.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(out.lines()).containsExactlyElementsOf(expected());
        }
        assertThat(python.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(python.exitValue()).isZero();
    }

    /** What the examples say: an answer, the same streamed, a continuation, and a call of a tool. */
    private static List<String> expected() {
        String answer = direct.chatCompletion(chat(8).build()).text();
        String continued = direct.completion(
                        CompletionRequest.of("Hello").with("max_tokens", 8).with("temperature", 0))
                .text();
        return List.of(answer, answer, continued, "weather {\"city\": \"Paris\"}");
    }

    private static void awaitAborted(double count) {
        await().atMost(DROPPING).until(() -> engine.metric(ABORTED) == count);
        await().atMost(DROPPING).until(() -> engine.metric(RUNNING) == 0);
    }

    private static ChatRequest.Builder chat(int tokens) {
        return ChatRequest.builder().user("Hello").extra("temperature", 0).extra("max_tokens", tokens);
    }

    private static GenerateRequest.Builder greedy(int tokens) {
        return GenerateRequest.builder()
                .text("Once upon a time")
                .samplingParam("temperature", 0)
                .samplingParam("ignore_eos", true)
                .samplingParam("max_new_tokens", tokens);
    }
}
