/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.Usage;
import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.JsonReader.Part;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the answers of chats and completions, whole ones and events of streams, have in common. What is not named here is left in the
 * bytes and read when it is asked for, log-probabilities above all.
 *
 * @param <C> a choice
 */
public record OpenAiAnswer<C>(
        String id, String model, List<C> choices, @Nullable Usage usage, Map<String, Object> extra) {
    /**
     * Reads an answer.
     *
     * @param bytes kept, and not to be changed
     * @throws IllegalArgumentException if it has no list of choices
     */
    public static <C> OpenAiAnswer<C> parse(byte[] bytes, Part<C> choice) throws IOException {
        Map<String, Part<?>> parts = Map.of(
                "id", JsonReader::text,
                "model", JsonReader::text,
                "choices", reader -> reader.list(choice),
                "usage", Usage::read);
        JsonReader.Members members = JsonReader.whole(bytes, reader -> reader.members(parts));
        List<C> choices = members.get("choices");
        if (choices == null) {
            throw new IllegalArgumentException("it has no \"choices\"");
        }
        return new OpenAiAnswer<>(
                members.get("id", ""), members.get("model", ""), choices, members.get("usage"), members.rest());
    }

    /**
     * What all choices have, and the one part in which they differ.
     *
     * @param part null if the choice has none
     */
    public record Choice<P>(
            int index, @Nullable P part, @Nullable String finishReason, Map<String, Object> extra) {
        /**
         * Reads one part.
         *
         * @param partName the member that holds the part
         */
        public static <P> Choice<P> read(JsonReader reader, String partName, Part<P> partReader) throws IOException {
            JsonReader.Members members = reader.members(
                    Map.of("index", JsonReader::integer, "finish_reason", JsonReader::text, partName, partReader));
            return new Choice<>(
                    members.get("index", 0), members.get(partName), members.get("finish_reason"), members.rest());
        }
    }
}
