/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.call.GenerationBody;
import dev.sglangray.client.internal.json.Checks;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A request to {@code POST /v1/completions}. Immutable.
 *
 * @param model any name that the server accepts; engines with one model take any
 * @param prompt what to continue
 * @param extra further top-level fields, passed on as they are, for example {@code max_tokens}
 */
public record CompletionRequest(String model, Prompt prompt, Map<String, Object> extra) {
    private static final Set<String> OWN_FIELDS = Set.of("model", "prompt");

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if {@code extra} names another parameter or asks for a stream
     */
    public CompletionRequest {
        extra = Checks.fieldsOfRequest(extra, OWN_FIELDS);
    }

    /** One text, the default model. */
    public static CompletionRequest of(String text) {
        return new CompletionRequest(ChatRequest.DEFAULT_MODEL, new Prompt.Text(text), Map.of());
    }

    /** With a further field, for example {@code max_tokens}. */
    public CompletionRequest with(String name, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(extra);
        more.put(name, value);
        return new CompletionRequest(model, prompt, more);
    }

    GenerationBody body(boolean stream, boolean abortable) {
        Map<String, @Nullable Object> body = new LinkedHashMap<>();
        body.put("model", model);
        body.put("prompt", prompt.value());
        body.putAll(extra);
        return GenerationBody.of(body, prompt, extra.get("n"), stream, abortable);
    }
}
