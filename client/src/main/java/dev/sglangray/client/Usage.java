/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;

/**
 * The tokens of a chat. Immutable; a count is 0 if unknown.
 *
 * @param promptTokens of the conversation
 * @param completionTokens of the answers
 * @param totalTokens of both
 * @param extra every other field, as it came
 */
public record Usage(int promptTokens, int completionTokens, int totalTokens, Map<String, Object> extra) {
    private static final Set<String> KNOWN = Set.of("prompt_tokens", "completion_tokens", "total_tokens");

    public Usage {
        extra = Json.freezeMap(extra);
    }

    static Usage parse(JsonNode node) {
        return new Usage(
                node.path("prompt_tokens").asInt(),
                node.path("completion_tokens").asInt(),
                node.path("total_tokens").asInt(),
                Json.others(node, KNOWN));
    }
}
