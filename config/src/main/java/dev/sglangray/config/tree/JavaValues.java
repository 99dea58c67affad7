/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import dev.sglangray.config.error.SourcePosition;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Plain Java values as trees. */
public final class JavaValues {
    /** Deeper nesting than this is refused, everywhere. */
    public static final int MAX_DEPTH = 100;

    private JavaValues() {}

    /**
     * A tree of a Java value: maps, lists, texts, numbers, booleans, bytes, null and existing nodes, which are copied.
     *
     * @throws IllegalArgumentException for a value of another type, a null key, or nesting deeper than {@link #MAX_DEPTH}
     */
    public static Node toNode(@Nullable Object value, SourcePosition position) {
        return toNode(value, "", path -> position, 0);
    }

    /**
     * As {@link #toNode(Object, SourcePosition)}, with a position for each path, such as {@code a.b[0]}; the value itself has the empty
     * one.
     */
    public static Node toNode(@Nullable Object value, Function<String, SourcePosition> positions) {
        return toNode(value, "", positions, 0);
    }

    private static Node toNode(
            @Nullable Object value, String path, Function<String, SourcePosition> positions, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("nested deeper than " + MAX_DEPTH + " levels");
        }
        if (value instanceof Node node) {
            return node.copy();
        }
        if (value instanceof Map<?, ?> map) {
            MapNode node = new MapNode(positions.apply(path));
            map.forEach((key, item) -> node.put(
                    key(key),
                    toNode(item, path.isEmpty() ? String.valueOf(key) : path + "." + key, positions, depth + 1)));
            return node;
        }
        if (value instanceof List<?> list) {
            ListNode node = new ListNode(positions.apply(path));
            for (int i = 0; i < list.size(); i++) {
                node.add(toNode(list.get(i), path + "[" + i + "]", positions, depth + 1));
            }
            return node;
        }
        return new ValueNode(scalar(value), positions.apply(path));
    }

    private static Object key(@Nullable Object key) {
        Object scalar = scalar(key);
        if (scalar == null || scalar instanceof byte[]) {
            throw new IllegalArgumentException("a key must be a text, a number or a boolean, not " + key);
        }
        return scalar;
    }

    private static @Nullable Object scalar(@Nullable Object value) {
        if (value == null
                || value instanceof String
                || value instanceof Boolean
                || value instanceof Double
                || value instanceof byte[]) {
            return value;
        }
        if (value instanceof BigInteger big) {
            return Numbers.narrow(big);
        }
        if (value instanceof Integer || value instanceof Long || value instanceof Short || value instanceof Byte) {
            return Numbers.narrow(BigInteger.valueOf(((Number) value).longValue()));
        }
        if (value instanceof Float number) {
            return number.doubleValue();
        }
        throw new IllegalArgumentException(
                "a configuration cannot hold a " + value.getClass().getName());
    }
}
