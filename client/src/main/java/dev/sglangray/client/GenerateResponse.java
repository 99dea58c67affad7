/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * The answer of {@code POST /generate}. Immutable.
 *
 * @param generations one for each prompt, or for each of {@code n} samples, in order
 */
public record GenerateResponse(List<Generation> generations) {
    public GenerateResponse {
        generations = List.copyOf(generations);
    }

    /**
     * The only generation.
     *
     * @throws IllegalStateException if there are none or several
     */
    public Generation single() {
        if (generations.size() != 1) {
            throw new IllegalStateException("the answer has " + generations.size() + " generations, not one");
        }
        return generations.get(0);
    }

    /** The text of the {@link #single()} generation. */
    public String text() {
        return single().text();
    }

    static GenerateResponse parse(JsonNode node) {
        if (!node.isArray()) {
            return new GenerateResponse(List.of(Generation.parse(node)));
        }
        List<Generation> generations = new ArrayList<>(node.size());
        node.forEach(item -> generations.add(Generation.parse(item)));
        return new GenerateResponse(generations);
    }
}
