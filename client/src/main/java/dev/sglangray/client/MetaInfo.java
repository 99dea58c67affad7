/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonReader.Part;
import dev.sglangray.client.internal.json.JsonText;
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
    private static final Map<String, Part<?>> PARTS = Map.of(
            "id", JsonReader::text,
            "prompt_tokens", JsonReader::integer,
            "completion_tokens", JsonReader::integer,
            "cached_tokens", JsonReader::integer,
            "weight_version", JsonReader::text);

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
        JsonReader.Members members = reader.members(PARTS);
        return new MetaInfo(
                members.get("id", ""),
                members.get("prompt_tokens", 0),
                members.get("completion_tokens", 0),
                members.get("cached_tokens", 0),
                reason(members.rest().get("finish_reason")),
                members.get("weight_version"),
                members.rest());
    }

    /** SGLang writes {@code {"type": "length", "length": 16}}; a plain text is accepted too. */
    private static @Nullable String reason(@Nullable Object written) {
        Object type = written instanceof Map<?, ?> map ? map.get("type") : written;
        return type instanceof String text ? text : null;
    }
}
