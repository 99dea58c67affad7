/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.json;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Goes through a JSON text once, taking what is wanted and remembering where the rest is. Not thread-safe. */
public final class JsonReader {
    private final byte[] bytes;
    private final JsonParser parser;

    private JsonReader(byte[] bytes, JsonParser parser) {
        this.bytes = bytes;
        this.parser = parser;
    }

    /** Reads the value at which the reader is; null if that is none. */
    @FunctionalInterface
    public interface Part<P> {
        @Nullable
        P read(JsonReader reader) throws IOException;
    }

    /**
     * Reads a text as a whole.
     *
     * @param bytes kept by what is left for later, and not to be changed
     * @throws JsonParseException if there is nothing, or something after the value
     */
    public static <P> P whole(byte[] bytes, Part<P> part) throws IOException {
        try (JsonParser parser = JsonText.parser(bytes)) {
            if (parser.nextToken() == null) {
                throw new JsonParseException(parser, "No content");
            }
            P read = Objects.requireNonNull(part.read(new JsonReader(bytes, parser)));
            JsonToken more = parser.nextToken();
            if (more != null) {
                throw new JsonParseException(parser, "Trailing token (" + more + ") found after value");
            }
            return read;
        }
    }

    /**
     * The members of the object at which the reader is; none for anything else, which is passed over.
     *
     * @param parts read those members that are not null; all others are left where they are, to be read when they are asked for
     */
    public Members members(Map<String, Part<?>> parts) throws IOException {
        Map<String, @Nullable Object> read = new HashMap<>();
        LazyJsonMap.Builder rest = new LazyJsonMap.Builder();
        if (!parser.hasToken(JsonToken.START_OBJECT)) {
            parser.skipChildren();
            return new Members(read, rest.build());
        }
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            Part<?> part = parts.get(name);
            if (part == null) {
                int start = start();
                rest.add(name, bytes, start, end(start));
            } else if (!parser.hasToken(JsonToken.VALUE_NULL)) {
                read.put(name, part.read(this));
            }
        }
        return new Members(read, rest.build());
    }

    /** What was read of an object, and what was left. */
    public record Members(Map<String, @Nullable Object> read, LazyJsonMap rest) {
        /** What the part of this name has read; null if there was no such member. */
        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // Of the type of its part.
        public <T> @Nullable T get(String name) {
            return (T) read.get(name);
        }

        /** As {@link #get(String)}, or {@code otherwise}. */
        public <T> T get(String name, T otherwise) {
            T found = get(name);
            return found == null ? otherwise : found;
        }
    }

    /** A list; null for anything else. */
    public <P> @Nullable List<P> list(Part<P> part) throws IOException {
        if (!isArray()) {
            parser.skipChildren();
            return null;
        }
        List<P> items = new ArrayList<>(1);
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            items.add(Objects.requireNonNull(part.read(this)));
        }
        return items;
    }

    public boolean isArray() {
        return parser.hasToken(JsonToken.START_ARRAY);
    }

    /** A scalar as text; empty for null and anything else. */
    public String text() throws IOException {
        if (parser.currentToken().isScalarValue() && !parser.hasToken(JsonToken.VALUE_NULL)) {
            return parser.getText();
        }
        parser.skipChildren();
        return "";
    }

    public int integer() throws IOException {
        int value = parser.getValueAsInt();
        parser.skipChildren();
        return value;
    }

    /** A list of token ids; empty for anything else. */
    public TokenIds tokenIds() throws IOException {
        if (!isArray()) {
            parser.skipChildren();
            return TokenIds.EMPTY;
        }
        int[] ids = new int[64];
        int size = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (size == ids.length) {
                ids = Arrays.copyOf(ids, 2 * size);
            }
            ids[size++] = integer();
        }
        return new TokenIds(Arrays.copyOf(ids, size));
    }

    public double number() throws IOException {
        double value = parser.getValueAsDouble();
        parser.skipChildren();
        return value;
    }

    /** Any value, as maps, lists and so on. */
    @Nullable
    public Object value() throws IOException {
        if (parser.hasToken(JsonToken.VALUE_STRING)) {
            return parser.getText();
        }
        int start = start();
        return JsonText.toJava(bytes, start, end(start) - start);
    }

    /** An object; empty for anything else. */
    @SuppressWarnings("unchecked") // The names of members are texts.
    public Map<String, Object> object() throws IOException {
        return value() instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
    }

    private int start() {
        return (int) parser.currentTokenLocation().getByteOffset();
    }

    private int end(int start) throws IOException {
        parser.skipChildren();
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            parser.finishToken();
        }
        int end = (int) parser.currentLocation().getByteOffset();
        if (start < 0 || end < start) {
            throw new IllegalArgumentException("it is not UTF-8");
        }
        return end;
    }
}
