/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonText;
import dev.sglangray.client.internal.json.LazyJsonMap;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    static final MetaInfo NONE = new MetaInfo("", 0, 0, 0, null, null, Map.of());

    public MetaInfo {
        extra = JsonText.freezeMap(extra);
    }

    /** Why the generation ended: {@code stop}, {@code length} or {@code abort}; details are in {@code extra}. */
    public Optional<String> finishReason() {
        return Optional.ofNullable(finishReasonOrNull);
    }

    /** The version of the weights that generated it. */
    public Optional<String> weightVersion() {
        return Optional.ofNullable(weightVersionOrNull);
    }

    /** The log-probabilities of the generated tokens, if they were asked for; decoded at each call. */
    public List<TokenLogprob> outputTokenLogprobs() {
        return TokenLogprob.listOf(extra.get("output_token_logprobs"));
    }

    /** The log-probabilities of the prompt's tokens, if they were asked for; decoded at each call. */
    public List<TokenLogprob> inputTokenLogprobs() {
        return TokenLogprob.listOf(extra.get("input_token_logprobs"));
    }

    static MetaInfo read(JsonReader reader) throws IOException {
        String id = "";
        int promptTokens = 0;
        int completionTokens = 0;
        int cachedTokens = 0;
        @Nullable String weightVersion = null;
        LazyJsonMap.Builder rest = new LazyJsonMap.Builder();
        @Nullable String name = reader.firstMember();
        while (name != null) {
            switch (name) {
                case "id" -> id = reader.text();
                case "prompt_tokens" -> promptTokens = reader.integer();
                case "completion_tokens" -> completionTokens = reader.integer();
                case "cached_tokens" -> cachedTokens = reader.integer();
                case "weight_version" -> weightVersion = reader.isNull() ? null : reader.text();
                default -> reader.leave(name, rest);
            }
            name = reader.nextMember();
        }
        LazyJsonMap extra = rest.build();
        return new MetaInfo(
                id,
                promptTokens,
                completionTokens,
                cachedTokens,
                reason(extra.get("finish_reason")),
                weightVersion,
                extra);
    }

    /** SGLang writes {@code {"type": "length", "length": 16}}; a plain text is accepted too. */
    private static @Nullable String reason(@Nullable Object written) {
        Object type = written instanceof Map<?, ?> map ? map.get("type") : written;
        return type instanceof String text ? text : null;
    }
}
