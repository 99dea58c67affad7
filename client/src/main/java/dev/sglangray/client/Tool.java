/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonText;
import java.util.Map;

/**
 * A function that a model may ask to be called. Immutable.
 *
 * @param name letters, digits, underscores and dashes
 * @param description what it does, for the model
 * @param parameters the JSON schema of its arguments
 */
public record Tool(String name, String description, Map<String, Object> parameters) {
    public Tool {
        parameters = JsonText.freezeMap(parameters);
    }

    Map<String, Object> toJson() {
        return Map.of(
                "type",
                "function",
                "function",
                Map.of("name", name, "description", description, "parameters", parameters));
    }
}
