/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.NdArray;
import dev.sglangray.client.internal.http.HttpAnswer;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;
import org.msgpack.core.MessagePacker;
import org.msgpack.core.MessageUnpacker;
import org.msgpack.value.ValueType;

/** MessagePack to and from plain maps and lists, arrays as SGLang's embodied engines write NumPy's. */
public final class Msgpack {
    private static final String ARRAY = "__ndarray__";
    private static final String SCALAR = "__npgeneric__";
    private static final String DATA = "data";
    private static final int MAX_DEPTH = 200;

    private Msgpack() {}

    public static byte[] write(Map<String, ?> body) {
        try (MessageBufferPacker packer = MessagePack.newDefaultBufferPacker()) {
            pack(packer, body);
            return packer.toByteArray();
        } catch (IOException e) {
            throw new IllegalArgumentException("the request cannot be written as MessagePack: " + e.getMessage(), e);
        }
    }

    public static Map<String, Object> readMap(HttpAnswer answer) throws IOException {
        String type = answer.head().header("Content-Type");
        if (type == null || !type.toLowerCase(java.util.Locale.ROOT).contains("msgpack")) {
            throw new IllegalArgumentException("it is not MessagePack but " + type);
        }
        try (MessageUnpacker unpacker = MessagePack.newDefaultUnpacker(answer.body())) {
            if (!(unpack(unpacker, 0) instanceof Map<?, ?> map)) {
                throw new IllegalArgumentException("it is not a map");
            }
            Map<String, @Nullable Object> named = new LinkedHashMap<>();
            map.forEach((key, value) -> named.put(String.valueOf(key), value));
            return Collections.unmodifiableMap(named);
        } catch (org.msgpack.core.MessagePackException e) {
            throw new IllegalArgumentException("it is not MessagePack: " + e.getMessage(), e);
        }
    }

    private static void pack(MessagePacker packer, @Nullable Object value) throws IOException {
        if (value == null) {
            packer.packNil();
        } else if (value instanceof Map<?, ?> map) {
            packer.packMapHeader(map.size());
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                packer.packString(String.valueOf(entry.getKey()));
                pack(packer, entry.getValue());
            }
        } else if (value instanceof Collection<?> items) {
            packer.packArrayHeader(items.size());
            for (Object item : items) {
                pack(packer, item);
            }
        } else if (value instanceof NdArray array) {
            pack(packer, array);
        } else if (value instanceof byte[] bytes) {
            packer.packBinaryHeader(bytes.length).writePayload(bytes);
        } else if (value instanceof String text) {
            packer.packString(text);
        } else if (value instanceof Boolean flag) {
            packer.packBoolean(flag);
        } else if (value instanceof Float number) {
            packer.packFloat(number);
        } else if (value instanceof Double number) {
            packer.packDouble(number);
        } else if (value instanceof BigInteger number) {
            packer.packBigInteger(number);
        } else if (value instanceof Integer
                || value instanceof Long
                || value instanceof Short
                || value instanceof Byte) {
            packer.packLong(((Number) value).longValue());
        } else {
            throw new IllegalArgumentException("a " + value.getClass().getName() + " cannot be written as MessagePack");
        }
    }

    /** With keys as bytes, as SGLang's own codec writes them. */
    private static void pack(MessagePacker packer, NdArray array) throws IOException {
        packer.packMapHeader(4);
        packKey(packer, ARRAY);
        packer.packBoolean(true);
        packKey(packer, DATA);
        pack(packer, array.data());
        packKey(packer, "dtype");
        packer.packString(array.dtype());
        packKey(packer, "shape");
        pack(packer, array.shape());
    }

    private static void packKey(MessagePacker packer, String key) throws IOException {
        byte[] bytes = key.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        packer.packBinaryHeader(bytes.length).writePayload(bytes);
    }

    private static @Nullable Object unpack(MessageUnpacker unpacker, int depth) throws IOException {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("it is nested more than " + MAX_DEPTH + " deep");
        }
        ValueType type = unpacker.getNextFormat().getValueType();
        return switch (type) {
            case NIL -> {
                unpacker.unpackNil();
                yield null;
            }
            case BOOLEAN -> unpacker.unpackBoolean();
            case INTEGER -> integer(unpacker);
            case FLOAT -> unpacker.unpackDouble();
            case STRING -> unpacker.unpackString();
            case BINARY -> unpacker.readPayload(unpacker.unpackBinaryHeader());
            case ARRAY -> {
                int size = unpacker.unpackArrayHeader();
                List<@Nullable Object> items = new ArrayList<>(Math.min(size, 1024));
                for (int i = 0; i < size; i++) {
                    items.add(unpack(unpacker, depth + 1));
                }
                yield Collections.unmodifiableList(items);
            }
            case MAP -> {
                int size = unpacker.unpackMapHeader();
                Map<String, @Nullable Object> map = new LinkedHashMap<>();
                for (int i = 0; i < size; i++) {
                    String key = key(unpack(unpacker, depth + 1));
                    map.put(key, unpack(unpacker, depth + 1));
                }
                yield numpy(map);
            }
            case EXTENSION -> throw new IllegalArgumentException("it has an extension type, which is not known");
        };
    }

    private static Object integer(MessageUnpacker unpacker) throws IOException {
        BigInteger value = unpacker.unpackBigInteger();
        return value.bitLength() < Long.SIZE ? (Object) value.longValue() : value;
    }

    private static String key(@Nullable Object key) {
        return key instanceof byte[] bytes
                ? new String(bytes, java.nio.charset.StandardCharsets.UTF_8)
                : String.valueOf(key);
    }

    private static @Nullable Object numpy(Map<String, @Nullable Object> map) {
        if (Boolean.TRUE.equals(map.get(ARRAY))
                && map.get(DATA) instanceof byte[] data
                && map.get("dtype") instanceof String dtype
                && map.get("shape") instanceof List<?> shape) {
            return new NdArray(
                    dtype,
                    shape.stream().map(length -> ((Number) length).intValue()).toList(),
                    data);
        }
        if (Boolean.TRUE.equals(map.get(SCALAR))) {
            return map.get(DATA);
        }
        return Collections.unmodifiableMap(map);
    }
}
