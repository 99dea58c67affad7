/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.JsonReader;
import java.io.IOException;
import java.util.List;

/**
 * The answer of {@code POST /generate}. Immutable. What the caller does not ask for is not decoded: log-probabilities, for example.
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

    /**
     * Reads an answer.
     *
     * @param bytes kept, and not to be changed
     */
    static GenerateResponse parse(byte[] bytes) throws IOException {
        return new GenerateResponse(JsonReader.whole(
                bytes, reader -> reader.isArray() ? reader.list(Generation::read) : List.of(Generation.read(reader))));
    }
}
