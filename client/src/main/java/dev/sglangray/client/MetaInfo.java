/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an engine says about a generation ({@code meta_info}). Immutable.
 *
 * @param id the request's id; empty if unknown
 * @param promptTokens the number of prompt tokens; 0 if unknown
 * @param completionTokens the number of generated tokens; 0 if unknown
 * @param cachedTokens the number of prompt tokens that were found in the cache; 0 if unknown
 * @param finishReasonOrNull why it ended ({@code stop}, {@code length}, {@code abort}), or null
 * @param weightVersionOrNull the version of the weights that generated it, or null
 * @param extra every other field, as it came, log-probabilities among them
 */
public record MetaInfo(
        String id,
        int promptTokens,
        int completionTokens,
        int cachedTokens,
        @Nullable String finishReasonOrNull,
        @Nullable String weightVersionOrNull,
        Map<String, Object> extra) {
    private static final Set<String> KNOWN =
            Set.of("id", "prompt_tokens", "completion_tokens", "cached_tokens", "weight_version");

    public MetaInfo {
        extra = Json.freezeMap(extra);
    }

    /** Why the generation ended: {@code stop}, {@code length} or {@code abort}; details are in {@code extra}. */
    public Optional<String> finishReason() {
        return Optional.ofNullable(finishReasonOrNull);
    }

    /** The version of the weights that generated it. */
    public Optional<String> weightVersion() {
        return Optional.ofNullable(weightVersionOrNull);
    }

    static MetaInfo parse(JsonNode node) {
        // SGLang writes {"type": "length", "length": 16}; a plain text is accepted too.
        JsonNode reason = node.path("finish_reason");
        JsonNode reasonType = reason.isObject() ? reason.path("type") : reason;
        return new MetaInfo(
                node.path("id").asText(""),
                node.path("prompt_tokens").asInt(),
                node.path("completion_tokens").asInt(),
                node.path("cached_tokens").asInt(),
                reasonType.isTextual() ? reasonType.textValue() : null,
                node.hasNonNull("weight_version") ? node.get("weight_version").asText() : null,
                Json.others(node, KNOWN));
    }
}
