/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Talks to one SGLang engine or router. It has the meaning of RLinf's {@code InferenceHTTPClient}.
 *
 * <p>Thread-safe: one client serves a whole program. Close it when done; until then it keeps idle connections for a minute.
 * Its threads are daemons and do not keep a JVM alive.
 *
 * <p>A call that waits may take as long as a generation does, unless a timeout was asked for. Interrupting the waiting
 * thread, cancelling an asynchronous call's future and closing the client each end it at once on this side; the server may
 * go on with what it has begun.
 *
 * <p>What depends on an asynchronous call's future runs on the client's threads unless an executor is given to it.
 */
public final class InferenceHttpClient implements AutoCloseable {
    private static final Duration HEALTH_TIMEOUT = Duration.ofSeconds(5);

    private final ClientOptions options;
    private final HttpTransport transport;

    InferenceHttpClient(ClientOptions options, HttpTransport transport) {
        this.options = options;
        this.transport = transport;
    }

    /** A builder; it needs a base URL, the rest is optional. */
    public static InferenceHttpClientBuilder builder() {
        return new InferenceHttpClientBuilder();
    }

    /** A client with the defaults for one base URL, for example {@code http://10.0.0.1:30000}. */
    public static InferenceHttpClient of(String baseUrl) {
        return builder().baseUrl(baseUrl).build();
    }

    /** The base URL, without a slash at its end. */
    public String baseUrl() {
        return options.baseUrl().toString();
    }

    /**
     * Generates, by {@code POST /generate}, and waits for the answer.
     *
     * @throws InferenceException if there is no usable answer; its subclass says why
     */
    public GenerateResponse generate(GenerateRequest request) {
        return Futures.await(generateAsync(request));
    }

    /** As {@link #generate}, without waiting: the future fails with what that throws; cancelling it cancels the call. */
    public CompletableFuture<GenerateResponse> generateAsync(GenerateRequest request) {
        return send("/generate", request.toJson(), GenerateResponse::parse);
    }

    /**
     * Answers a chat, by {@code POST /v1/chat/completions}, and waits for the answer.
     *
     * @throws InferenceException if there is no usable answer; its subclass says why
     */
    public ChatResponse chatCompletion(ChatRequest request) {
        return Futures.await(chatCompletionAsync(request));
    }

    /** As {@link #chatCompletion}, without waiting: the future fails with what that throws; cancelling it cancels the call. */
    public CompletableFuture<ChatResponse> chatCompletionAsync(ChatRequest request) {
        return send("/v1/chat/completions", request.toJson(), ChatResponse::parse);
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
        return Futures.await(postAsync(path, body));
    }

    /** As {@link #post}, without waiting: the future fails with what that throws; cancelling it cancels the call. */
    public CompletableFuture<JsonNode> postAsync(String path, Map<String, ?> body) {
        return send(path, body, Function.identity());
    }

    /**
     * Whether {@code GET /health} answers 200 within 5 seconds. Never throws; an interrupt gives false and the flag is set
     * again.
     */
    public boolean health() {
        try {
            return Futures.await(healthAsync());
        } catch (InferenceException e) {
            return false;
        }
    }

    /** As {@link #health}, without waiting. The future never fails, unless it is cancelled. */
    public CompletableFuture<Boolean> healthAsync() {
        return Futures.succeeds(transport.send(HttpCall.get("/health", HEALTH_TIMEOUT)));
    }

    /** Ends the calls under way with a {@link RequestCancelledException} and frees all sockets. Idempotent. */
    @Override
    public void close() {
        transport.close();
    }

    @Override
    public String toString() {
        return "InferenceHttpClient[" + options.baseUrl() + "]";
    }

    private <T> CompletableFuture<T> send(String path, Map<String, ?> body, Function<JsonNode, T> parser) {
        HttpCall call = HttpCall.post(path, Json.write(body));
        return Futures.map(
                RetryingCall.start(transport, options.retries(), call), answer -> parse(call, answer, parser));
    }

    private <T> T parse(HttpCall call, String body, Function<JsonNode, T> parser) {
        try {
            return parser.apply(Json.read(body));
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw Failures.malformed(options, call, body, e);
        }
    }
}
