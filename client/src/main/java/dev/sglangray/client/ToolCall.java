/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.client.internal.json.JsonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model's wish to have a tool called; in a stream, a piece of one. Immutable.
 *
 * @param index its number among the calls of one message
 * @param id to be given back with the result; empty in all pieces but the first
 * @param name the tool; empty in all pieces but the first
 * @param arguments JSON, as the model wrote it; it may be broken, and in a stream it is a piece
 */
public record ToolCall(int index, String id, String name, String arguments) {
    /**
     * The arguments, decoded.
     *
     * @throws IllegalArgumentException if the model wrote no JSON
     */
    public JsonNode argumentsJson() {
        try {
            return JsonText.read(arguments);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "the arguments of " + name + " are no JSON: " + e.getOriginalMessage(), e);
        }
    }

    static List<ToolCall> listOf(@Nullable Object written) {
        if (!(written instanceof List<?> calls)) {
            return List.of();
        }
        List<ToolCall> all = new ArrayList<>(calls.size());
        for (Object call : calls) {
            if (call instanceof Map<?, ?> fields) {
                Map<?, ?> function = fields.get("function") instanceof Map<?, ?> map ? map : Map.of();
                int index = fields.get("index") instanceof Number number ? number.intValue() : all.size();
                all.add(new ToolCall(
                        index, text(fields.get("id")), text(function.get("name")), text(function.get("arguments"))));
            }
        }
        return List.copyOf(all);
    }

    private static String text(@Nullable Object value) {
        return value instanceof String text ? text : "";
    }
}
