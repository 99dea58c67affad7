/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonReader.Part;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * The answer of {@code POST /v1/embeddings}. Immutable.
 *
 * @param model the model's name; empty if unknown
 * @param embeddings one vector for each input, in order
 * @param usage the tokens used; zeros if unknown
 * @param extra every other field, as it came
 */
public record EmbeddingResponse(String model, List<List<Double>> embeddings, Usage usage, Map<String, Object> extra) {
    private static final Map<String, Part<?>> PARTS = Map.of(
            "model", JsonReader::text,
            "data", reader -> reader.list(EmbeddingResponse::vector),
            "usage", Usage::read);
    private static final Map<String, Part<?>> VECTOR = Map.of("embedding", reader -> reader.list(JsonReader::number));

    public EmbeddingResponse {
        embeddings = embeddings.stream().map(List::copyOf).toList();
        extra = JsonText.freezeMap(extra);
    }

    /**
     * Reads an answer.
     *
     * @param bytes kept, and not to be changed
     */
    static EmbeddingResponse parse(byte[] bytes) throws IOException {
        JsonReader.Members members = JsonReader.whole(bytes, reader -> reader.members(PARTS));
        List<List<Double>> embeddings = members.get("data");
        if (embeddings == null) {
            throw new IllegalArgumentException("it has no \"data\"");
        }
        return new EmbeddingResponse(
                members.get("model", ""), embeddings, members.get("usage", Usage.UNKNOWN), members.rest());
    }

    private static List<Double> vector(JsonReader reader) throws IOException {
        return reader.members(VECTOR).get("embedding", List.of());
    }
}
