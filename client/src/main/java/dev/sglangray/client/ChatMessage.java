/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.Checks;
import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonReader.Part;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One message of a chat. Immutable.
 *
 * @param role for example {@code user}
 * @param content a text, a list of parts as OpenAI defines them, or null (an assistant's message that only calls tools)
 * @param extra every other field, for example {@code tool_calls}
 */
public record ChatMessage(String role, @Nullable Object content, Map<String, Object> extra) {
    private static final Map<String, Part<?>> PARTS = Map.of("role", JsonReader::text, "content", JsonReader::value);

    public ChatMessage {
        content = JsonText.freeze(content);
        extra = Checks.fields(extra, PARTS.keySet());
    }

    /** A message of the role {@code user}. */
    public static ChatMessage user(String text) {
        return new ChatMessage("user", text, Map.of());
    }

    /** A message of the role {@code system}. */
    public static ChatMessage system(String text) {
        return new ChatMessage("system", text, Map.of());
    }

    /** A message of the role {@code assistant}. */
    public static ChatMessage assistant(String text) {
        return new ChatMessage("assistant", text, Map.of());
    }

    /** What a tool answered to a call of the assistant's. */
    public static ChatMessage tool(String toolCallId, String result) {
        return new ChatMessage("tool", result, Map.of("tool_call_id", toolCallId));
    }

    /** The tools that the assistant wants called; empty if none. */
    public List<ToolCall> toolCalls() {
        return ToolCall.listOf(extra.get("tool_calls"));
    }

    /** The content where it is a text; empty otherwise. */
    public String text() {
        return content instanceof String text ? text : "";
    }

    Map<String, @Nullable Object> toJson() {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("role", role);
        json.put("content", content);
        json.putAll(extra);
        return json;
    }

    static ChatMessage read(JsonReader reader) throws IOException {
        JsonReader.Members members = reader.members(PARTS);
        return new ChatMessage(members.get("role", "assistant"), members.get("content"), members.rest());
    }
}
