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
 * An event of a streamed chat. Immutable.
 *
 * @param id the answer's id; the same in all events; empty if unknown
 * @param model the model's name; empty if unknown
 * @param choices what is new; empty in the event with the usage
 * @param usageOrNull the tokens used, in the last event if {@code stream_options} asked for it
 * @param extra every other field, as it came
 */
public record ChatChunk(
        String id,
        String model,
        List<Choice> choices,
        @Nullable Usage usageOrNull,
        Map<String, Object> extra) {
    private static final Set<String> KNOWN = Set.of("id", "model", "choices", "usage");
    private static final Set<String> KNOWN_OF_CHOICE = Set.of("index", "delta", "finish_reason");

    public ChatChunk {
        choices = List.copyOf(choices);
        extra = Json.freezeMap(extra);
    }

    /** The new text of the first choice; empty if there is none. */
    public String text() {
        return choices.isEmpty() ? "" : choices.get(0).text();
    }

    /** The tokens used. */
    public Optional<Usage> usage() {
        return Optional.ofNullable(usageOrNull);
    }

    static ChatChunk parse(JsonNode node) {
        if (!node.path("choices").isArray()) {
            throw new IllegalArgumentException("it has no \"choices\"");
        }
        List<Choice> choices = new ArrayList<>();
        node.path("choices")
                .forEach(choice -> choices.add(new Choice(
                        choice.path("index").asInt(),
                        Json.others(choice.path("delta"), Set.of()),
                        choice.hasNonNull("finish_reason")
                                ? choice.get("finish_reason").asText()
                                : null,
                        Json.others(choice, KNOWN_OF_CHOICE))));
        return new ChatChunk(
                node.path("id").asText(""),
                node.path("model").asText(""),
                choices,
                node.hasNonNull("usage") ? Usage.parse(node.get("usage")) : null,
                Json.others(node, KNOWN));
    }

    /**
     * What is new in one choice. Immutable.
     *
     * @param index its number, from 0
     * @param delta the new parts of the message, for example {@code content}
     * @param finishReasonOrNull why it ended, in its last event
     * @param extra every other field, for example {@code logprobs}
     */
    public record Choice(
            int index, Map<String, Object> delta, @Nullable String finishReasonOrNull, Map<String, Object> extra) {
        public Choice {
            delta = Json.freezeMap(delta);
            extra = Json.freezeMap(extra);
        }

        /** The new text; empty if there is none. */
        public String text() {
            return delta.get("content") instanceof String text ? text : "";
        }

        /** Pieces of calls of tools. */
        public List<ToolCall> toolCalls() {
            return ToolCall.listOf(delta.get("tool_calls"));
        }

        /** Why it ended. */
        public Optional<String> finishReason() {
            return Optional.ofNullable(finishReasonOrNull);
        }
    }
}
