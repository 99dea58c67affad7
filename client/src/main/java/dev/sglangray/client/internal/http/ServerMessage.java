/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.client.internal.json.JsonText;
import java.util.List;

/** Finds what a server wants to say in the body of an error answer. */
final class ServerMessage {
    /** As many characters as RLinf's client shows. */
    static final int MAX_LENGTH = 500;

    private static final List<String> MEMBERS = List.of("error", "message", "detail");

    private ServerMessage() {}

    /**
     * The message in SGLang's ({@code error.message}), OpenAI's ({@code message}) or FastAPI's ({@code detail}) JSON, or
     * else the body; at most {@value #MAX_LENGTH} characters and an ellipsis.
     */
    static String of(String body) {
        String text = body.strip();
        if (text.startsWith("{")) {
            try {
                text = find(JsonText.read(text));
            } catch (JsonProcessingException e) {
                // Not JSON after all: the body itself is the best there is.
            }
        }
        return shorten(text);
    }

    public static String shorten(String text) {
        return text.length() <= MAX_LENGTH ? text : text.substring(0, MAX_LENGTH) + "…";
    }

    private static String find(JsonNode node) {
        if (node.isTextual()) {
            return node.textValue();
        }
        for (String member : MEMBERS) {
            if (node.hasNonNull(member)) {
                return find(node.get(member));
            }
        }
        return node.toString();
    }
}
