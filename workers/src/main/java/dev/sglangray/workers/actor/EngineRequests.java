/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.workers.engine.EnginePort;
import dev.sglangray.workers.engine.EnginePort.Answer;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import okhttp3.ConnectionPool;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** Requests of a worker to its own engine, or to its own router. Safe for use by many threads. */
final class EngineRequests {
    private static final MediaType JSON = MediaType.get("application/json");
    private static final String RUNNING = "num_running_reqs";
    private static final String WAITING = "num_waiting_reqs";

    private final String server;
    private final OkHttpClient http;
    private final OkHttpClient once;
    private final Supplier<String> url;
    private final Supplier<@Nullable String> apiKey;

    /**
     * For one server.
     *
     * @param server what failures call it, such as {@code the engine}
     * @param http a client for HTTP/1.1 without a proxy
     * @param url where it serves at the moment
     * @param apiKey the key that guards it, or null
     */
    EngineRequests(String server, OkHttpClient http, Supplier<String> url, Supplier<@Nullable String> apiKey) {
        this.server = server;
        this.http = http;
        // A change that may have been made is not to be made twice, so nothing is repeated; and a connection that the
        // engine is just closing because it was idle (uvicorn does after 5 s) would leave doubt, so each has its own.
        this.once = http.newBuilder()
                .connectionPool(new ConnectionPool(0, 1, TimeUnit.SECONDS))
                .retryOnConnectionFailure(false)
                .build();
        this.url = url;
        this.apiKey = apiKey;
    }

    /** Ends requests: those of one id, or all for an empty id. */
    boolean abort(String requestId) {
        Map<String, Object> body =
                requestId.isEmpty() ? Map.of("rid", "", "abort_all", true) : Map.of("rid", requestId);
        return require("/abort_request", body, WorkerHttp.PROBE_TIMEOUT);
    }

    /**
     * Posts JSON.
     *
     * @throws IOException when no answer came in time, so that it is not known what the engine did
     */
    Answer post(String path, Map<String, ?> body, Duration timeout) throws IOException {
        // Bytes, not a string: OkHttp would add a charset to the content type.
        RequestBody json = RequestBody.create(ProtocolJson.write(body).getBytes(StandardCharsets.UTF_8), JSON);
        return post(path, json, timeout);
    }

    private Answer post(String path, RequestBody json, Duration timeout) throws IOException {
        long millis = Math.max(1, timeout.toMillis());
        OkHttpClient patient = once.newBuilder()
                .callTimeout(millis, TimeUnit.MILLISECONDS)
                .readTimeout(millis, TimeUnit.MILLISECONDS)
                .writeTimeout(millis, TimeUnit.MILLISECONDS)
                .build();
        try (Response response =
                patient.newCall(request(path).post(json).build()).execute()) {
            return new Answer(response.code(), response.body().string());
        }
    }

    /** Posts and wants 200; a {@link WorkerFailure} says what came instead. */
    public boolean require(String path, Map<String, ?> body, Duration timeout) {
        return !answered(path, body, timeout).isEmpty();
    }

    /** As {@link #require}; the answer's text, {@code {}} for an empty one. */
    String answered(String path, Map<String, ?> body, Duration timeout) {
        try {
            Answer answer = post(path, body, timeout);
            if (!answer.ok()) {
                throw new WorkerFailure(server + " answered " + path + " with " + answer.text());
            }
            return answer.body().isBlank() ? "{}" : answer.body();
        } catch (IOException e) {
            throw new WorkerFailure(server + " did not answer " + path + " within " + timeout.toSeconds() + " s: " + e);
        }
    }

    /** Running and waiting requests by {@code /v1/loads}; empty for an engine that has no such route. */
    OptionalInt requests() {
        Optional<JsonNode> loads = loads();
        if (loads.isEmpty()) {
            return OptionalInt.empty();
        }
        int requests = 0;
        for (JsonNode load : loads.get()) {
            JsonNode running = load.path(RUNNING);
            JsonNode waiting = load.path(WAITING);
            if (!running.isInt() || !waiting.isInt()) {
                throw new WorkerFailure("GET /v1/loads does not say how many requests there are: " + load);
            }
            requests += running.asInt() + waiting.asInt();
        }
        if (loads.get().isEmpty()) {
            throw new WorkerFailure("GET /v1/loads says nothing of any load");
        }
        return OptionalInt.of(requests);
    }

    /** What the engine says by {@code /v1/loads} and, where that lacks something, by {@code /metrics}, which only some engines have. */
    EngineLoad load() {
        EngineLoad load = loads().map(EngineRequests::load).orElse(EngineLoad.UNKNOWN);
        return load.isComplete()
                ? load
                : load.or(get("/metrics").map(EngineMetrics::load).orElse(EngineLoad.UNKNOWN));
    }

    private static EngineLoad load(JsonNode loads) {
        Double running = total(loads, RUNNING);
        Double waiting = total(loads, WAITING);
        Double use = total(loads, "token_usage");
        return new EngineLoad(
                running == null ? null : running.intValue(),
                waiting == null ? null : waiting.intValue(),
                total(loads, "gen_throughput"),
                // The ranks have equal memory.
                use == null ? null : use / loads.size());
    }

    /** The sum over the ranks; null where one does not tell. */
    private static @Nullable Double total(JsonNode loads, String field) {
        double sum = 0;
        for (JsonNode load : loads) {
            if (!load.path(field).isNumber()) {
                return null;
            }
            sum += load.path(field).asDouble();
        }
        return loads.isEmpty() ? null : Double.valueOf(sum);
    }

    private Optional<JsonNode> loads() {
        return get("/v1/loads?include=core").map(body -> ProtocolJson.tree(body).path("loads"));
    }

    /** An answer's body; empty where the engine has no such route. */
    private Optional<String> get(String path) {
        String route = path.replaceFirst("\\?.*", "");
        try (Response response = http.newCall(request(path).build()).execute()) {
            if (response.code() == 404) {
                return Optional.empty();
            }
            if (!response.isSuccessful()) {
                throw new WorkerFailure("GET " + route + " failed: HTTP " + response.code());
            }
            return Optional.of(response.body().string());
        } catch (IOException e) {
            throw new WorkerFailure("GET " + route + " failed: " + e);
        }
    }

    private Answer postBucket(WeightUpdate update, int index, Map<String, ?> more, Duration timeout)
            throws IOException {
        String route = update.kind().route();
        if (update.shelf() == null) {
            Map<String, Object> body = new LinkedHashMap<>(update.buckets().get(index));
            body.putAll(more);
            return post(route, body, timeout);
        }
        BucketShelf shelf;
        try {
            shelf = BucketShelf.find(update.shelf());
        } catch (IOException e) {
            throw new EnginePort.BucketMissing(String.valueOf(e.getMessage()));
        }
        return post(route, new BucketBody(shelf, update.shelf().sizes().get(index), index, more, timeout), timeout);
    }

    /** The same calls for an event loop. */
    EnginePort port(ThreadLoop loop) {
        return new EnginePort() {
            @Override
            public CompletableFuture<Answer> post(String path, Map<String, ?> body, Duration timeout) {
                return loop.block(() -> {
                    try {
                        return EngineRequests.this.post(path, body, timeout);
                    } catch (IOException e) {
                        throw new WorkerFailure(e.toString());
                    }
                });
            }

            @Override
            public CompletableFuture<Answer> postBucket(
                    WeightUpdate update, int index, Map<String, ?> more, Duration timeout) {
                return loop.block(() -> {
                    try {
                        return EngineRequests.this.postBucket(update, index, more, timeout);
                    } catch (IOException e) {
                        throw new WorkerFailure(server + " did not answer "
                                + update.kind().route() + " within " + timeout.toSeconds() + " s: " + e);
                    }
                });
            }

            @Override
            public CompletableFuture<OptionalInt> requests(Duration timeout) {
                return loop.block(EngineRequests.this::requests);
            }
        };
    }

    private Request.Builder request(String path) {
        Request.Builder request = new Request.Builder().url(url.get() + path);
        String key = apiKey.get();
        return key == null ? request : request.header("Authorization", "Bearer " + key);
    }
}
