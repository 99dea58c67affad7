/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.json;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Goes through a JSON text once, taking what is wanted and remembering where the rest is. Not thread-safe. */
public final class JsonReader implements Closeable {
    private final byte[] bytes;
    private final JsonParser parser;

    private JsonReader(byte[] bytes) throws IOException {
        this.bytes = bytes;
        this.parser = JsonText.parser(bytes);
    }

    /**
     * A reader at the text's first token.
     *
     * @param bytes kept by what is left for later, and not to be changed
     * @throws JsonParseException if there is no token
     */
    public static JsonReader of(byte[] bytes) throws IOException {
        JsonReader reader = new JsonReader(bytes);
        if (reader.next() == null) {
            throw new JsonParseException(reader.parser, "No content");
        }
        return reader;
    }

    /** The next token, at which the other methods then look; null at the end. */
    @Nullable
    public JsonToken next() throws IOException {
        return parser.nextToken();
    }

    /** The name of the first member of the object at which the reader is; null if it is empty or no object, which is passed over. */
    @Nullable
    public String firstMember() throws IOException {
        if (parser.hasToken(JsonToken.START_OBJECT)) {
            return nextMember();
        }
        parser.skipChildren();
        return null;
    }

    /** The name of the object's next member, at whose value the reader then is; null after the last. */
    @Nullable
    public String nextMember() throws IOException {
        if (parser.nextToken() != JsonToken.FIELD_NAME) {
            return null;
        }
        String name = parser.currentName();
        parser.nextToken();
        return name;
    }

    public boolean isArray() {
        return parser.hasToken(JsonToken.START_ARRAY);
    }

    public boolean isNull() {
        return parser.hasToken(JsonToken.VALUE_NULL);
    }

    /** A scalar as text; empty for null and anything else. */
    public String text() throws IOException {
        if (parser.currentToken().isScalarValue() && !isNull()) {
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

    /** A list of numbers; empty for anything else. */
    public List<Double> numbers() throws IOException {
        List<Double> numbers = new ArrayList<>();
        if (isArray()) {
            while (parser.nextToken() != JsonToken.END_ARRAY) {
                numbers.add(parser.getValueAsDouble());
                parser.skipChildren();
            }
        } else {
            parser.skipChildren();
        }
        return numbers;
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

    /** Leaves the value where it is, to be read when it is asked for. */
    public void leave(String name, LazyJsonMap.Builder rest) throws IOException {
        int start = start();
        rest.add(name, bytes, start, end(start));
    }

    /** Passes over the value. */
    public void skip() throws IOException {
        parser.skipChildren();
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

    /** Requires that nothing follows; a {@link JsonParseException} says what does. */
    public void end() throws IOException {
        JsonToken more = parser.nextToken();
        if (more != null) {
            throw new JsonParseException(parser, "Trailing token (" + more + ") found after value");
        }
    }

    @Override
    public void close() throws IOException {
        parser.close();
    }
}
