/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import com.fasterxml.jackson.core.JsonToken;
import dev.sglangray.client.Usage;
import dev.sglangray.client.internal.json.JsonReader;
import dev.sglangray.client.internal.json.LazyJsonMap;
import java.io.IOException;
import java.util.ArrayList;
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
    /** Reads the value at which the reader is. */
    @FunctionalInterface
    public interface Part<P> {
        P read(JsonReader reader) throws IOException;
    }

    /**
     * Reads an answer.
     *
     * @param bytes kept, and not to be changed
     * @throws IllegalArgumentException if it has no list of choices
     */
    public static <C> OpenAiAnswer<C> parse(byte[] bytes, Part<C> choice) throws IOException {
        try (JsonReader reader = JsonReader.of(bytes)) {
            String id = "";
            String model = "";
            @Nullable List<C> choices = null;
            @Nullable Usage usage = null;
            LazyJsonMap.Builder rest = new LazyJsonMap.Builder();
            @Nullable String name = reader.firstMember();
            while (name != null) {
                switch (name) {
                    case "id" -> id = reader.text();
                    case "model" -> model = reader.text();
                    case "choices" -> choices = listOf(reader, choice);
                    case "usage" -> usage = reader.isNull() ? null : Usage.read(reader);
                    default -> reader.leave(name, rest);
                }
                name = reader.nextMember();
            }
            if (choices == null) {
                throw new IllegalArgumentException("it has no \"choices\"");
            }
            reader.end();
            return new OpenAiAnswer<>(id, model, choices, usage, rest.build());
        }
    }

    private static <C> @Nullable List<C> listOf(JsonReader reader, Part<C> choice) throws IOException {
        if (!reader.isArray()) {
            reader.skip();
            return null;
        }
        List<C> choices = new ArrayList<>(1);
        while (reader.next() != JsonToken.END_ARRAY) {
            choices.add(choice.read(reader));
        }
        return choices;
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
            int index = 0;
            @Nullable P part = null;
            @Nullable String finishReason = null;
            LazyJsonMap.Builder rest = new LazyJsonMap.Builder();
            @Nullable String name = reader.firstMember();
            while (name != null) {
                if (name.equals("index")) {
                    index = reader.integer();
                } else if (name.equals("finish_reason")) {
                    finishReason = reader.isNull() ? null : reader.text();
                } else if (name.equals(partName)) {
                    part = reader.isNull() ? null : partReader.read(reader);
                } else {
                    reader.leave(name, rest);
                }
                name = reader.nextMember();
            }
            return new Choice<>(index, part, finishReason, rest.build());
        }
    }
}
