/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The answer of {@code POST /v1/embeddings}. Immutable.
 *
 * @param model the model's name; empty if unknown
 * @param embeddings one vector for each input, in order
 * @param usage the tokens used; zeros if unknown
 * @param extra every other field, as it came
 */
public record EmbeddingResponse(String model, List<List<Double>> embeddings, Usage usage, Map<String, Object> extra) {
    private static final Set<String> KNOWN = Set.of("model", "data", "usage");

    public EmbeddingResponse {
        embeddings = embeddings.stream().map(List::copyOf).toList();
        extra = Json.freezeMap(extra);
    }

    static EmbeddingResponse parse(JsonNode node) {
        if (!node.path("data").isArray()) {
            throw new IllegalArgumentException("it has no \"data\"");
        }
        List<List<Double>> embeddings = new ArrayList<>();
        for (JsonNode item : node.path("data")) {
            List<Double> vector = new ArrayList<>(item.path("embedding").size());
            item.path("embedding").forEach(number -> vector.add(number.asDouble()));
            embeddings.add(vector);
        }
        return new EmbeddingResponse(
                node.path("model").asText(""), embeddings, Usage.parse(node.path("usage")), Json.others(node, KNOWN));
    }
}
