/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.client.internal.call.Batch;
import dev.sglangray.client.internal.call.CallSpec;
import dev.sglangray.client.internal.call.Caller;
import dev.sglangray.client.internal.call.Futures;
import dev.sglangray.client.internal.call.GenerationBody;
import dev.sglangray.client.internal.call.Msgpack;
import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.HttpAnswer;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;

/**
 * Talks to SGLang engines or their router. It has the meaning of RLinf's {@code InferenceHTTPClient}.
 *
 * <p>Thread-safe: one client serves a whole program. Close it when done; until then it keeps idle connections for a few seconds.
 * Its threads are daemons and do not keep a JVM alive.
 *
 * <p>A call that waits may take as long as a generation does, unless a timeout was asked for. Interrupting the waiting thread and
 * cancelling an asynchronous call's future end it at once, here and on the engine; closing the client ends all calls.
 *
 * <p>A few event loops carry all calls. What depends on the futures of methods whose names end in {@code Async} runs there unless an
 * executor is given, to it or to the builder, and must not block: methods that wait throw an {@link IllegalStateException} there.
 */
public final class InferenceHttpClient implements AutoCloseable {
    private static final CallOptions HEALTH =
            CallOptions.DEFAULT.withRequestTimeout(Duration.ofSeconds(5)).withAbortOnCancel(false);
    private static final String GENERATE = "/generate";
    private static final String CHAT = "/v1/chat/completions";
    private static final String COMPLETIONS = "/v1/completions";

    private final Caller caller;
    private final CallOptions options;

    InferenceHttpClient(Caller caller, CallOptions options) {
        this.caller = caller;
        this.options = options;
    }

    /** A builder; it needs a base URL, the rest is optional. */
    public static InferenceHttpClientBuilder builder() {
        return new InferenceHttpClientBuilder();
    }

    /** A client with the defaults for one base URL, for example {@code http://10.0.0.1:30000}. */
    public static InferenceHttpClient of(String baseUrl) {
        return builder().baseUrl(baseUrl).build();
    }

    /** The base URL, or the first of several, without a slash at its end. */
    public String baseUrl() {
        return caller.options().baseUrls().get(0).toString();
    }

    /** The base URLs, without slashes at their ends. */
    public List<String> baseUrls() {
        return caller.options().baseUrls().stream().map(BaseUrl::toString).toList();
    }

    /**
     * A view of this client with other options: {@code client.withOptions(o -> o.withMaxRetries(2))}. It shares everything else;
     * closing either closes both.
     */
    public InferenceHttpClient withOptions(UnaryOperator<CallOptions> change) {
        return new InferenceHttpClient(caller, change.apply(options));
    }

    /**
     * Generates, by {@code POST /generate}, and waits for the answer.
     *
     * @throws InferenceException if there is no usable answer; its subclass says why
     */
    public GenerateResponse generate(GenerateRequest request) {
        return caller.await(spec(GENERATE, request::body, false), InferenceHttpClient::generated);
    }

    /** As {@link #generate}, without waiting: the future fails with what that throws; cancelling it cancels the call. */
    public CompletableFuture<GenerateResponse> generateAsync(GenerateRequest request) {
        return caller.send(spec(GENERATE, request::body, false), InferenceHttpClient::generated);
    }

    /** As {@link #generate}, as it is generated. */
    public EventStream<Generation> generateStream(GenerateRequest request) {
        return stream(GENERATE, request::body, Generation::parse);
    }

    /**
     * Generates, and lets another engine continue when the one that generates fails: see {@link ContinuedStream}. Waits for the end.
     *
     * @param continuations how often at most, at least 1; a failure after that is thrown
     * @throws InferenceException as {@link #generate}
     * @throws IllegalArgumentException if the request is of a kind that cannot be continued: its prompt is text, it has no
     *     {@code max_new_tokens}, or a parameter looks at what was generated before, such as {@code stop} or a grammar
     */
    public ContinuedGeneration generateContinued(GenerateRequest request, int continuations) {
        ContinuedGeneration last = new ContinuedGeneration(List.of());
        try (StreamIterator<ContinuedGeneration> events =
                generateContinuedStream(request, continuations).open()) {
            while (events.hasNext()) {
                last = events.next();
            }
        }
        return last;
    }

    /** As {@link #generateContinued}, as it is generated. */
    public ContinuedStream generateContinuedStream(GenerateRequest request, int continuations) {
        return new ContinuedStream(this, request, continuations);
    }

    /**
     * Generates for each request, some at a time, and waits for all. The first failure cancels the rest and is thrown.
     *
     * @return the answers in the order of the requests
     * @throws InferenceException if there is an answer that is not usable; its subclass says why
     */
    public List<GenerateResponse> generateAll(List<GenerateRequest> requests, BatchOptions batch) {
        caller.refuseEventLoop();
        return Futures.await(generateAllAsync(requests, batch));
    }

    /** As {@link #generateAll}, without waiting. Cancelling the future cancels all. */
    public CompletableFuture<List<GenerateResponse>> generateAllAsync(
            List<GenerateRequest> requests, BatchOptions batch) {
        return Batch.inOrder(List.copyOf(requests), batch, this::generateAsync);
    }

    /**
     * Generates for each request, some at a time. The outcomes, failures too, come in the order in which they are ready. Nothing is
     * sent far ahead of the one who iterates. Close it, in a try-with-resources statement: closing early cancels the rest.
     */
    public StreamIterator<BatchItem> generateAsCompleted(List<GenerateRequest> requests, BatchOptions batch) {
        caller.refuseEventLoop();
        return StreamIterator.over(Batch.asCompleted(List.copyOf(requests), batch, this::generateAsync));
    }

    /**
     * Answers a chat, by {@code POST /v1/chat/completions}, and waits for the answer.
     *
     * @throws InferenceException if there is no usable answer; its subclass says why
     */
    public ChatResponse chatCompletion(ChatRequest request) {
        return caller.await(spec(CHAT, request::body, false), answer -> ChatResponse.parse(answer.body()));
    }

    /** As {@link #chatCompletion}, without waiting: the future fails with what that throws; cancelling it cancels the call. */
    public CompletableFuture<ChatResponse> chatCompletionAsync(ChatRequest request) {
        return caller.send(spec(CHAT, request::body, false), answer -> ChatResponse.parse(answer.body()));
    }

    /** As {@link #chatCompletion}, as it is generated. */
    public EventStream<ChatChunk> chatCompletionStream(ChatRequest request) {
        return stream(CHAT, request::body, ChatChunk::parse);
    }

    /**
     * Continues a text, by {@code POST /v1/completions}, and waits for the answer.
     *
     * @throws InferenceException if there is no usable answer; its subclass says why
     */
    public CompletionResponse completion(CompletionRequest request) {
        return caller.await(spec(COMPLETIONS, request::body, false), answer -> CompletionResponse.parse(answer.body()));
    }

    /** As {@link #completion}, without waiting: the future fails with what that throws; cancelling it cancels the call. */
    public CompletableFuture<CompletionResponse> completionAsync(CompletionRequest request) {
        return caller.send(spec(COMPLETIONS, request::body, false), answer -> CompletionResponse.parse(answer.body()));
    }

    /** As {@link #completion}, as it is generated. */
    public EventStream<CompletionResponse> completionStream(CompletionRequest request) {
        return stream(COMPLETIONS, request::body, CompletionResponse::parse);
    }

    /**
     * Turns texts into vectors, by {@code POST /v1/embeddings}, and waits for the answer.
     *
     * @param model any name that the server accepts; engines with one model take any
     * @throws InferenceException if there is no usable answer; its subclass says why
     */
    public EmbeddingResponse embeddings(String model, List<String> texts) {
        return caller.await(embedding(model, texts), answer -> EmbeddingResponse.parse(answer.body()));
    }

    /** As {@link #embeddings}, without waiting: the future fails with what that throws; cancelling it cancels the call. */
    public CompletableFuture<EmbeddingResponse> embeddingsAsync(String model, List<String> texts) {
        return caller.send(embedding(model, texts), answer -> EmbeddingResponse.parse(answer.body()));
    }

    /**
     * The models served, by {@code GET /v1/models}.
     *
     * @throws InferenceException if there is no usable answer; its subclass says why
     */
    public List<ModelInfo> models() {
        return caller.await(CallSpec.get("/v1/models", options), answer -> ModelInfo.parse(answer.body()));
    }

    /**
     * What training asks of an engine.
     *
     * @throws IllegalStateException if there are several base URLs: use {@link #controls()}
     */
    public EngineControl control() {
        if (caller.options().baseUrls().size() != 1) {
            throw new IllegalStateException("the client has several base URLs; use controls()");
        }
        return controls().get(0);
    }

    /** What training asks of an engine, for each base URL. */
    public List<EngineControl> controls() {
        return caller.options().baseUrls().stream()
                .map(url -> new EngineControl(caller, options, url))
                .toList();
    }

    /**
     * Posts any body to any path, with the client's retries, and waits for the JSON answer.
     *
     * @param path begins with a slash; appended to the base URL
     * @param body written as JSON
     * @throws InferenceException if there is no usable answer; its subclass says why
     * @throws IllegalArgumentException if the path or body cannot be sent
     */
    public JsonNode post(String path, Map<String, ?> body) {
        return caller.await(raw(path, body), InferenceHttpClient::json);
    }

    /** As {@link #post}, without waiting: the future fails with what that throws; cancelling it cancels the call. */
    public CompletableFuture<JsonNode> postAsync(String path, Map<String, ?> body) {
        return caller.send(raw(path, body), InferenceHttpClient::json);
    }

    /**
     * Posts any body to any path as MessagePack, as embodied engines take it, and waits for the answer.
     *
     * @param path begins with a slash; appended to the base URL
     * @param body maps, lists, texts, byte arrays, numbers, booleans, nulls, and {@link NdArray}s
     * @return of the same
     * @throws InferenceException if there is no usable answer; its subclass says why
     * @throws IllegalArgumentException if the path or body cannot be sent
     */
    public Map<String, Object> postMsgpack(String path, Map<String, ?> body) {
        return caller.await(packed(path, body), Msgpack::readMap);
    }

    /** As {@link #postMsgpack}, without waiting: the future fails with what that throws; cancelling it cancels the call. */
    public CompletableFuture<Map<String, Object>> postMsgpackAsync(String path, Map<String, ?> body) {
        return caller.send(packed(path, body), Msgpack::readMap);
    }

    /**
     * Gets any path and waits for the JSON answer.
     *
     * @param path begins with a slash; appended to the base URL
     * @throws InferenceException if there is no usable answer; its subclass says why
     */
    public JsonNode get(String path) {
        return caller.await(CallSpec.get(path, options), InferenceHttpClient::json);
    }

    /**
     * Whether {@code GET /health} answers 200 within 5 seconds; of several servers, whether one does. No failure is thrown; an interrupt
     * gives false and the flag is set again.
     *
     * @throws IllegalStateException on one of the client's own threads, which must not wait
     */
    public boolean health() {
        caller.refuseEventLoop();
        try {
            return Futures.await(healthAsync());
        } catch (InferenceException e) {
            return false;
        }
    }

    /** As {@link #health}, without waiting. The future never fails, unless it is cancelled. */
    public CompletableFuture<Boolean> healthAsync() {
        CallSpec get = CallSpec.get("/health", HEALTH);
        return Futures.succeeds(caller.send(get, answer -> {
            if (answer.head().status() != 200) {
                throw new IllegalArgumentException("not 200");
            }
            return true;
        }));
    }

    /** Ends the calls under way with a {@link RequestCancelledException} and frees all sockets. Idempotent. */
    @Override
    public void close() {
        caller.close();
    }

    void refuseEventLoop() {
        caller.refuseEventLoop();
    }

    @Override
    public String toString() {
        return "InferenceHttpClient" + baseUrls();
    }

    private CallSpec spec(String path, Body body, boolean stream) {
        return CallSpec.generation(path, body.of(stream, options.abortOnCancel()), options);
    }

    private <T> EventStream<T> stream(String path, Body body, EventStream.EventReader<T> reader) {
        return new EventStream<>(caller, () -> spec(path, body, true), reader);
    }

    private CallSpec embedding(String model, List<String> texts) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("model", model);
        body.put("input", texts);
        return raw("/v1/embeddings", body);
    }

    private CallSpec raw(String path, Map<String, ?> body) {
        return CallSpec.post(path, JsonText.write(body), CallSpec.JSON, options);
    }

    private CallSpec packed(String path, Map<String, ?> body) {
        return CallSpec.post(path, Msgpack.write(body), CallSpec.MSGPACK, options);
    }

    private static GenerateResponse generated(HttpAnswer answer) throws IOException {
        return GenerateResponse.parse(answer.body());
    }

    private static JsonNode json(HttpAnswer answer) throws IOException {
        return JsonText.read(answer.body());
    }

    /** Makes a request's body, with ids of its own if it is abortable. */
    private interface Body {
        GenerationBody of(boolean stream, boolean abortable);
    }
}
