/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
    private static final Set<String> KNOWN = Set.of("index", "message", "finish_reason");

    public ChatChoice {
        extra = Json.freezeMap(extra);
    }

    /** Why the answer ended: {@code stop}, {@code length}, {@code tool_calls}, … */
    public Optional<String> finishReason() {
        return Optional.ofNullable(finishReasonOrNull);
    }

    static ChatChoice parse(JsonNode node) {
        return new ChatChoice(
                node.path("index").asInt(),
                ChatMessage.parse(node.path("message")),
                node.hasNonNull("finish_reason") ? node.get("finish_reason").asText() : null,
                Json.others(node, KNOWN));
    }
}
