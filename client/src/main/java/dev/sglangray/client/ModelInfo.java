/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.client.internal.json.JsonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model that a server serves ({@code /v1/models}). Immutable.
 *
 * @param id the name to give in requests
 * @param maxModelLen how many tokens a context may have; 0 if unknown
 * @param extra every other field, as it came
 */
public record ModelInfo(String id, int maxModelLen, Map<String, Object> extra) {
    private static final Set<String> KNOWN = Set.of("id", "max_model_len");

    public ModelInfo {
        extra = JsonText.freezeMap(extra);
    }

    static List<ModelInfo> listOf(JsonNode node) {
        if (!node.path("data").isArray()) {
            throw new IllegalArgumentException("it has no \"data\"");
        }
        List<ModelInfo> models = new ArrayList<>();
        node.path("data")
                .forEach(model -> models.add(new ModelInfo(
                        model.path("id").asText(""),
                        model.path("max_model_len").asInt(),
                        JsonText.others(model, KNOWN))));
        return List.copyOf(models);
    }
}
