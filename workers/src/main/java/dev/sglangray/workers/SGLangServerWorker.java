/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/**
 * The Ray actor that owns one engine, a thin shell around the lifecycle. RLinf's class of the same name; here it takes
 * its specification as JSON and answers with strings and booleans. Questions and the shutdown are answered while
 * {@link #initServer()} is under way.
 *
 * <p>All methods throw {@link WorkerFailure} with a text for people.
 */
public class SGLangServerWorker {
    private static final MediaType JSON = MediaType.get("application/json");

    private final OkHttpClient http = WorkerHttp.create();
    private final EngineLifecycle engine;

    /**
     * Called by Ray.
     *
     * @param specJson a {@link ServerSpec} as JSON
     */
    public SGLangServerWorker(String specJson) {
        engine = new EngineLifecycle(Json.read(specJson, ServerSpec.class), ChildKit.of(RayNode.current()), http);
    }

    /** Starts the engine; returns its URL when it is healthy. */
    public String initServer() {
        return engine.start();
    }

    /** The engine's URL. */
    public String getServerUrl() {
        return engine.url();
    }

    /** A {@link ServerEndpoint} as JSON. */
    public String endpoint() {
        return Json.write(engine.endpoint());
    }

    /** Whether the engine runs and answers. */
    public boolean isHealthy() {
        return engine.isHealthy();
    }

    /** A {@link WorkerStatus} as JSON. */
    public String status() {
        return Json.write(engine.status());
    }

    /** The last lines of the engine's log. */
    public String logTail(int lines) {
        return engine.logTail(lines);
    }

    /** Ends requests of the engine: those of one id, or all for an empty id. */
    public boolean abort(String requestId) {
        Map<String, Object> body =
                requestId.isEmpty() ? Map.of("rid", "", "abort_all", true) : Map.of("rid", requestId);
        Request.Builder request = new Request.Builder()
                .url(engine.url() + "/abort_request")
                .post(RequestBody.create(Json.write(body).getBytes(StandardCharsets.UTF_8), JSON));
        String key = engine.apiKey();
        if (key != null) {
            request.header("Authorization", "Bearer " + key);
        }
        try (Response response = http.newCall(request.build()).execute()) {
            if (!response.isSuccessful()) {
                throw new WorkerFailure("the engine answered HTTP " + response.code() + " to /abort_request");
            }
            return true;
        } catch (IOException e) {
            throw new WorkerFailure("the engine did not answer /abort_request: " + e);
        }
    }

    /** Ends the engine; true when all of it is gone. Aborts a start that is under way. */
    public boolean shutdown() {
        engine.shutdown();
        return true;
    }
}
