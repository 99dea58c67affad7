/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** Requests of the worker to its own engine. Safe for use by many threads. */
final class EngineControl {
    private static final MediaType JSON = MediaType.get("application/json");
    private static final Duration LOOK = Duration.ofMillis(250);

    private final OkHttpClient http;
    private final Supplier<String> url;
    private final @Nullable String apiKey;

    EngineControl(OkHttpClient http, Supplier<String> url, @Nullable String apiKey) {
        this.http = http;
        this.url = url;
        this.apiKey = apiKey;
    }

    /** Ends requests: those of one id, or all for an empty id. */
    boolean abort(String requestId) {
        Map<String, Object> body =
                requestId.isEmpty() ? Map.of("rid", "", "abort_all", true) : Map.of("rid", requestId);
        Request.Builder request = request("/abort_request")
                .post(RequestBody.create(Json.write(body).getBytes(StandardCharsets.UTF_8), JSON));
        try (Response response = http.newCall(request.build()).execute()) {
            if (!response.isSuccessful()) {
                throw new WorkerFailure("the engine answered HTTP " + response.code() + " to /abort_request");
            }
            return true;
        } catch (IOException e) {
            throw new WorkerFailure("the engine did not answer /abort_request: " + e);
        }
    }

    /** Waits until the engine has no requests; how many it has at the end, -1 when it cannot tell. */
    int awaitIdle(Duration longest) {
        long end = System.nanoTime() + longest.toNanos();
        int busy = requests();
        while (busy > 0 && System.nanoTime() - end < 0) {
            StandingMonitor.pause(LOOK);
            busy = requests();
        }
        return busy;
    }

    /** Running and waiting requests by {@code /v1/loads}; -1 for an engine that does not have it. */
    int requests() {
        try (Response response =
                http.newCall(request("/v1/loads?include=core").build()).execute()) {
            if (!response.isSuccessful()) {
                return -1;
            }
            int requests = 0;
            for (JsonNode load : Json.tree(response.body().string()).path("loads")) {
                requests += load.path("num_running_reqs").asInt()
                        + load.path("num_waiting_reqs").asInt();
            }
            return requests;
        } catch (IOException e) {
            throw new WorkerFailure("the engine did not tell its load: " + e);
        }
    }

    private Request.Builder request(String path) {
        Request.Builder request = new Request.Builder().url(url.get() + path);
        return apiKey == null ? request : request.header("Authorization", "Bearer " + apiKey);
    }
}
