/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.call.OpenAiAnswer;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * The answer of {@code POST /v1/chat/completions}. Immutable. What the caller does not ask for is not decoded: log-probabilities, for example.
 *
 * @param id the answer's id; empty if unknown
 * @param model the model's name; empty if unknown
 * @param choices the answers; at least one
 * @param usage the tokens used; zeros if unknown
 * @param extra every other field, as it came
 */
public record ChatResponse(String id, String model, List<ChatChoice> choices, Usage usage, Map<String, Object> extra) {
    public ChatResponse {
        choices = List.copyOf(choices);
        extra = JsonText.freezeMap(extra);
    }

    /** The text of the first choice; empty if it has none. */
    public String text() {
        return choices.get(0).message().text();
    }

    /**
     * Reads an answer.
     *
     * @param bytes kept, and not to be changed
     */
    static ChatResponse parse(byte[] bytes) throws IOException {
        OpenAiAnswer<ChatChoice> answer = OpenAiAnswer.parse(bytes, ChatChoice::read);
        if (answer.choices().isEmpty()) {
            throw new IllegalArgumentException("its \"choices\" are empty");
        }
        Usage usage = answer.usage() == null ? Usage.UNKNOWN : answer.usage();
        return new ChatResponse(answer.id(), answer.model(), answer.choices(), usage, answer.extra());
    }
}
