/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonReader.Part;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;
import java.util.Map;

/**
 * The tokens of a request. Immutable; a count is 0 if unknown.
 *
 * @param promptTokens of the conversation or prompt
 * @param completionTokens of the answers
 * @param totalTokens of both
 * @param extra every other field, as it came
 */
public record Usage(int promptTokens, int completionTokens, int totalTokens, Map<String, Object> extra) {
    private static final Map<String, Part<?>> PARTS = Map.of(
            "prompt_tokens", JsonReader::integer,
            "completion_tokens", JsonReader::integer,
            "total_tokens", JsonReader::integer);

    static final Usage UNKNOWN = new Usage(0, 0, 0, Map.of());

    public Usage {
        extra = JsonText.freezeMap(extra);
    }

    public static Usage read(JsonReader reader) throws IOException {
        JsonReader.Members members = reader.members(PARTS);
        return new Usage(
                members.get("prompt_tokens", 0),
                members.get("completion_tokens", 0),
                members.get("total_tokens", 0),
                members.rest());
    }
}
