/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.call.OpenAiAnswer;
import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    public ChatChunk {
        choices = List.copyOf(choices);
        extra = JsonText.freezeMap(extra);
    }

    /** The new text of the first choice; empty if there is none. */
    public String text() {
        return choices.isEmpty() ? "" : choices.get(0).text();
    }

    /** The tokens used. */
    public Optional<Usage> usage() {
        return Optional.ofNullable(usageOrNull);
    }

    /**
     * Checks the values.
     *
     * @param bytes kept, and not to be changed
     */
    static ChatChunk parse(byte[] bytes) throws IOException {
        OpenAiAnswer<Choice> answer = OpenAiAnswer.parse(bytes, Choice::read);
        return new ChatChunk(answer.id(), answer.model(), answer.choices(), answer.usage(), answer.extra());
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
            delta = JsonText.freezeMap(delta);
            extra = JsonText.freezeMap(extra);
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

        static Choice read(JsonReader reader) throws IOException {
            OpenAiAnswer.Choice<Map<String, Object>> choice =
                    OpenAiAnswer.Choice.read(reader, "delta", JsonReader::object);
            Map<String, Object> delta = choice.part() == null ? Map.of() : choice.part();
            return new Choice(choice.index(), delta, choice.finishReason(), choice.extra());
        }
    }
}
