/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonText;
import dev.sglangray.client.internal.json.LazyJsonMap;
import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of a request. Immutable; a count is 0 if unknown.
 *
 * @param promptTokens of the conversation or prompt
 * @param completionTokens of the answers
 * @param totalTokens of both
 * @param extra every other field, as it came
 */
public record Usage(int promptTokens, int completionTokens, int totalTokens, Map<String, Object> extra) {
    static final Usage UNKNOWN = new Usage(0, 0, 0, Map.of());

    public Usage {
        extra = JsonText.freezeMap(extra);
    }

    public static Usage read(JsonReader reader) throws IOException {
        int promptTokens = 0;
        int completionTokens = 0;
        int totalTokens = 0;
        LazyJsonMap.Builder rest = new LazyJsonMap.Builder();
        @Nullable String name = reader.firstMember();
        while (name != null) {
            switch (name) {
                case "prompt_tokens" -> promptTokens = reader.integer();
                case "completion_tokens" -> completionTokens = reader.integer();
                case "total_tokens" -> totalTokens = reader.integer();
                default -> reader.leave(name, rest);
            }
            name = reader.nextMember();
        }
        return new Usage(promptTokens, completionTokens, totalTokens, rest.build());
    }
}
