/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.client.internal.call.CallSpec;
import dev.sglangray.client.internal.call.Caller;
import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.HttpAnswer;
import dev.sglangray.client.internal.json.JsonText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What training asks of one engine between rollouts. Thread-safe. All methods wait, throw an {@link InferenceException} if the engine
 * refuses, and, unless {@link CallOptions#repeatProcessed} is set, repeat nothing that the engine may have done.
 *
 * <p>A router passes few of these on: make a client of the engine's own URL.
 */
public final class EngineControl {
    private final Caller caller;
    private final CallOptions options;
    private final BaseUrl server;

    EngineControl(Caller caller, CallOptions options, BaseUrl server) {
        this.caller = caller;
        this.options = options;
        this.server = server;
    }

    /** The engine's URL. */
    public String baseUrl() {
        return server.toString();
    }

    /** Empties the cache of prefixes; the engine refuses with 400 while requests run. */
    public void flushCache() {
        post("/flush_cache", Map.of());
    }

    /**
     * Loads other weights.
     *
     * @param modelPath where they are, on the engine's machine
     * @param further other fields of the request, for example {@code weight_version} or {@code flush_cache}
     * @return the engine's answer, with {@code success} true
     * @throws MalformedResponseException if the engine answers that it failed
     */
    public JsonNode updateWeightsFromDisk(String modelPath, Map<String, ?> further) {
        Map<String, Object> body = new LinkedHashMap<>(further);
        body.put("model_path", modelPath);
        return call("/update_weights_from_disk", body, answer -> {
            JsonNode said = JsonText.read(answer.body());
            if (!said.path("success").asBoolean(true)) {
                throw new IllegalArgumentException("the engine did not update its weights: "
                        + said.path("message").asText());
            }
            return said;
        });
    }

    /** Stops generating and ends what runs. */
    public void pauseGeneration() {
        post("/pause_generation", Map.of());
    }

    /**
     * Stops generating.
     *
     * @param mode what becomes of the requests that run: {@code abort}, {@code retract} or {@code in_place}
     */
    public void pauseGeneration(String mode) {
        post("/pause_generation", Map.of("mode", mode));
    }

    /** Generates again. */
    public void continueGeneration() {
        post("/continue_generation", Map.of());
    }

    /**
     * Gives accelerator memory to others, until it is resumed.
     *
     * @param tags what to give: {@code kv_cache}, {@code weights}; everything if empty
     */
    public void releaseMemoryOccupation(List<String> tags) {
        post("/release_memory_occupation", tagged(tags));
    }

    /** Takes accelerator memory back; see {@link #releaseMemoryOccupation}. */
    public void resumeMemoryOccupation(List<String> tags) {
        post("/resume_memory_occupation", tagged(tags));
    }

    /** Ends a request, by the id that it was given as {@code rid}; does nothing if there is none. */
    public void abortRequest(String rid) {
        post("/abort_request", Map.of("rid", rid));
    }

    /** Ends all requests. */
    public void abortAll() {
        post("/abort_request", Map.of("abort_all", true));
    }

    /** What the engine was started with and how it does, as SGLang describes it. */
    public JsonNode serverInfo() {
        CallSpec get = CallSpec.get("/server_info", options).at(server);
        try {
            return caller.await(get, answer -> JsonText.read(answer.body()));
        } catch (ServerStatusException e) {
            if (e.status() != 404) {
                throw e;
            }
            // Its name before SGLang 0.5.
            return caller.await(
                    CallSpec.get("/get_server_info", options).at(server), answer -> JsonText.read(answer.body()));
        }
    }

    private static Map<String, Object> tagged(List<String> tags) {
        return tags.isEmpty() ? Map.of() : Map.of("tags", tags);
    }

    /** The answers of these endpoints differ and say nothing: text, JSON, or an empty body. */
    private void post(String path, Map<String, ?> body) {
        var unused = call(path, body, HttpAnswer::text);
    }

    private <T> T call(String path, Map<String, ?> body, Caller.Reader<T> reader) {
        return caller.await(
                CallSpec.post(path, JsonText.write(body), CallSpec.JSON, options)
                        .at(server),
                reader);
    }
}
