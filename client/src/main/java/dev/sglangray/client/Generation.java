/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One generated continuation. Immutable.
 *
 * @param text the generated text; empty from an engine that does not detokenize
 * @param outputIds the generated token ids; empty if the engine did not send them
 * @param metaInfo what the engine says about the generation
 * @param extra every other field of the answer, as it came
 */
public record Generation(String text, List<Integer> outputIds, MetaInfo metaInfo, Map<String, Object> extra) {
    private static final Set<String> KNOWN = Set.of("text", "output_ids", "meta_info");

    public Generation {
        outputIds = List.copyOf(outputIds);
        extra = Json.freezeMap(extra);
    }

    static Generation parse(JsonNode node) {
        if (!node.hasNonNull("text") && !node.hasNonNull("output_ids")) {
            throw new IllegalArgumentException("it has neither \"text\" nor \"output_ids\"");
        }
        List<Integer> ids = new ArrayList<>();
        node.path("output_ids").forEach(id -> ids.add(id.asInt()));
        return new Generation(
                node.path("text").asText(""), ids, MetaInfo.parse(node.path("meta_info")), Json.others(node, KNOWN));
    }
}
