/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The answer of {@code POST /v1/completions}, or an event of a streamed one. Immutable.
 *
 * @param id the answer's id; empty if unknown
 * @param model the model's name; empty if unknown
 * @param choices the continuations; in a stream, what is new of them
 * @param usage the tokens used; zeros if unknown
 * @param extra every other field, as it came
 */
public record CompletionResponse(
        String id, String model, List<Choice> choices, Usage usage, Map<String, Object> extra) {
    private static final Set<String> KNOWN = Set.of("id", "model", "choices", "usage");
    private static final Set<String> KNOWN_OF_CHOICE = Set.of("index", "text", "finish_reason");

    public CompletionResponse {
        choices = List.copyOf(choices);
        extra = Json.freezeMap(extra);
    }

    /** The text of the first choice; empty if there is none. */
    public String text() {
        return choices.isEmpty() ? "" : choices.get(0).text();
    }

    static CompletionResponse parse(JsonNode node) {
        if (!node.path("choices").isArray()) {
            throw new IllegalArgumentException("it has no \"choices\"");
        }
        List<Choice> choices = new ArrayList<>();
        node.path("choices")
                .forEach(choice -> choices.add(new Choice(
                        choice.path("index").asInt(),
                        choice.path("text").asText(""),
                        choice.hasNonNull("finish_reason")
                                ? choice.get("finish_reason").asText()
                                : null,
                        Json.others(choice, KNOWN_OF_CHOICE))));
        return new CompletionResponse(
                node.path("id").asText(""),
                node.path("model").asText(""),
                choices,
                Usage.parse(node.path("usage")),
                Json.others(node, KNOWN));
    }

    /**
     * One continuation. Immutable.
     *
     * @param index its number, from 0
     * @param text the text; in a stream, what is new of it
     * @param finishReasonOrNull why it ended, or null
     * @param extra every other field, for example {@code logprobs}
     */
    public record Choice(int index, String text, @Nullable String finishReasonOrNull, Map<String, Object> extra) {
        public Choice {
            extra = Json.freezeMap(extra);
        }

        /** Why it ended. */
        public Optional<String> finishReason() {
            return Optional.ofNullable(finishReasonOrNull);
        }
    }
}
