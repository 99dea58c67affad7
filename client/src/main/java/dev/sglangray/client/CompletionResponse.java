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
 * The answer of {@code POST /v1/completions}, or an event of a streamed one. Immutable. What the caller does not ask for is not
 * decoded: log-probabilities, for example.
 *
 * @param id the answer's id; empty if unknown
 * @param model the model's name; empty if unknown
 * @param choices the continuations; in a stream, what is new of them
 * @param usage the tokens used; zeros if unknown
 * @param extra every other field, as it came
 */
public record CompletionResponse(
        String id, String model, List<Choice> choices, Usage usage, Map<String, Object> extra) {
    public CompletionResponse {
        choices = List.copyOf(choices);
        extra = JsonText.freezeMap(extra);
    }

    /** The text of the first choice; empty if there is none. */
    public String text() {
        return choices.isEmpty() ? "" : choices.get(0).text();
    }

    /**
     * Reads an answer.
     *
     * @param bytes kept, and not to be changed
     */
    static CompletionResponse parse(byte[] bytes) throws IOException {
        OpenAiAnswer<Choice> answer = OpenAiAnswer.parse(bytes, Choice::read);
        Usage usage = answer.usage() == null ? Usage.UNKNOWN : answer.usage();
        return new CompletionResponse(answer.id(), answer.model(), answer.choices(), usage, answer.extra());
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
            extra = JsonText.freezeMap(extra);
        }

        /** Why it ended. */
        public Optional<String> finishReason() {
            return Optional.ofNullable(finishReasonOrNull);
        }

        static Choice read(JsonReader reader) throws IOException {
            OpenAiAnswer.Choice<String> choice = OpenAiAnswer.Choice.read(reader, "text", JsonReader::text);
            String text = choice.part() == null ? "" : choice.part();
            return new Choice(choice.index(), text, choice.finishReason(), choice.extra());
        }
    }
}
