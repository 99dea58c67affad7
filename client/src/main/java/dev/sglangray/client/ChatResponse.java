/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The answer of {@code POST /v1/chat/completions}. Immutable.
 *
 * @param id the answer's id; empty if unknown
 * @param model the model's name; empty if unknown
 * @param choices the answers; at least one
 * @param usage the tokens used
 * @param extra every other field, as it came
 */
public record ChatResponse(String id, String model, List<ChatChoice> choices, Usage usage, Map<String, Object> extra) {
    private static final Set<String> KNOWN = Set.of("id", "model", "choices", "usage");

    public ChatResponse {
        choices = List.copyOf(choices);
        extra = Json.freezeMap(extra);
    }

    /** The text of the first choice; empty if it has none. */
    public String text() {
        return choices.get(0).message().text();
    }

    static ChatResponse parse(JsonNode node) {
        List<ChatChoice> choices = new ArrayList<>();
        node.path("choices").forEach(choice -> choices.add(ChatChoice.parse(choice)));
        if (choices.isEmpty()) {
            throw new IllegalArgumentException("it has no \"choices\"");
        }
        return new ChatResponse(
                node.path("id").asText(""),
                node.path("model").asText(""),
                choices,
                Usage.parse(node.path("usage")),
                Json.others(node, KNOWN));
    }
}
