/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.core.JsonToken;
import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonText;
import dev.sglangray.client.internal.json.LazyJsonMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The answer of {@code POST /v1/embeddings}. Immutable.
 *
 * @param model the model's name; empty if unknown
 * @param embeddings one vector for each input, in order
 * @param usage the tokens used; zeros if unknown
 * @param extra every other field, as it came
 */
public record EmbeddingResponse(String model, List<List<Double>> embeddings, Usage usage, Map<String, Object> extra) {
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
        try (JsonReader reader = JsonReader.of(bytes)) {
            String model = "";
            @Nullable List<List<Double>> embeddings = null;
            Usage usage = Usage.UNKNOWN;
            LazyJsonMap.Builder rest = new LazyJsonMap.Builder();
            @Nullable String name = reader.firstMember();
            while (name != null) {
                switch (name) {
                    case "model" -> model = reader.text();
                    case "data" -> embeddings = vectors(reader);
                    case "usage" -> usage = Usage.read(reader);
                    default -> reader.leave(name, rest);
                }
                name = reader.nextMember();
            }
            if (embeddings == null) {
                throw new IllegalArgumentException("it has no \"data\"");
            }
            reader.end();
            return new EmbeddingResponse(model, embeddings, usage, rest.build());
        }
    }

    private static @Nullable List<List<Double>> vectors(JsonReader reader) throws IOException {
        if (!reader.isArray()) {
            reader.skip();
            return null;
        }
        List<List<Double>> vectors = new ArrayList<>();
        while (reader.next() != JsonToken.END_ARRAY) {
            List<Double> vector = List.of();
            @Nullable String name = reader.firstMember();
            while (name != null) {
                if (name.equals("embedding")) {
                    vector = reader.numbers();
                } else {
                    reader.skip();
                }
                name = reader.nextMember();
            }
            vectors.add(vector);
        }
        return vectors;
    }
}
