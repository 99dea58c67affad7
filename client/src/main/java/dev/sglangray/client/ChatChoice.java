/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.call.OpenAiAnswer;
import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One of the answers to a chat. Immutable.
 *
 * @param index its number, from 0
 * @param message the answer
 * @param finishReasonOrNull why it ended, or null
 * @param extra every other field, for example {@code logprobs}
 */
public record ChatChoice(
        int index, ChatMessage message, @Nullable String finishReasonOrNull, Map<String, Object> extra) {
    public ChatChoice {
        extra = JsonText.freezeMap(extra);
    }

    /** Why the answer ended: {@code stop}, {@code length}, {@code tool_calls}, … */
    public Optional<String> finishReason() {
        return Optional.ofNullable(finishReasonOrNull);
    }

    static ChatChoice read(JsonReader reader) throws IOException {
        OpenAiAnswer.Choice<ChatMessage> choice = OpenAiAnswer.Choice.read(reader, "message", ChatMessage::read);
        if (choice.part() == null) {
            throw new IllegalArgumentException("a choice has no \"message\"");
        }
        return new ChatChoice(choice.index(), choice.part(), choice.finishReason(), choice.extra());
    }
}
