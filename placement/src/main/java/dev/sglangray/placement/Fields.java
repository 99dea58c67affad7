/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A mapping of the configuration that is read key by key, with messages that name the dotted key.
 *
 * @param path the dotted key of the mapping
 */
record Fields(String path, Map<String, @Nullable Object> values) {

    /** Reads a mapping. */
    static Fields of(@Nullable Object value, String path) {
        if (!(value instanceof Map<?, ?> map)) {
            throw refusal(path, value, "must be a mapping, not " + show(value));
        }
        Map<String, @Nullable Object> values = new LinkedHashMap<>();
        map.forEach((key, entry) -> values.put(PythonText.str(key), entry));
        return new Fields(path, values);
    }

    /** Reads a list of mappings; null counts as no list. */
    static List<Fields> list(@Nullable Object value, String path) {
        if (!(value instanceof List<?> entries)) {
            throw refusal(path, value, "must be a list (\"- \" before each entry), not " + show(value));
        }
        List<Fields> all = new ArrayList<>();
        for (int i = 0; i < entries.size(); i++) {
            all.add(of(entries.get(i), path + "[" + i + "]"));
        }
        return all;
    }

    /** Refuses keys that are not known, and the lack of those that are required. */
    void require(Collection<String> required, Collection<String> known) {
        for (String key : values.keySet()) {
            if (!known.contains(key)) {
                throw PlacementException.builder("unknown key \"%s\"".formatted(key))
                        .component(path)
                        .seen(key)
                        .available("Known keys", known.stream().sorted().toList())
                        .fix(Suggestions.didYouMean(key, known))
                        .build();
            }
        }
        for (String key : required) {
            if (!values.containsKey(key)) {
                throw refusal(path, null, "the key \"%s\" is missing".formatted(key));
            }
        }
    }

    @Nullable
    Object get(String key) {
        return values.get(key);
    }

    String path(String key) {
        return path + "." + key;
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    /** A switch. Text says yes as YAML would without the quotes; unset is no. */
    boolean flag(String key) {
        Object value = get(key);
        if (value == null || Boolean.FALSE.equals(value)) {
            return false;
        }
        if (Boolean.TRUE.equals(value)) {
            return true;
        }
        return switch (PythonText.str(value).toLowerCase(Locale.ROOT)) {
            case "true", "yes", "on", "1" -> true;
            case "false", "no", "off", "0", "" -> false;
            default -> throw refusal(path(key), value, "must be true or false, not " + show(value));
        };
    }

    /** A whole number that is written as one, without quotes; empty for anything else. */
    static OptionalInt whole(@Nullable Object value) {
        boolean whole = value instanceof Integer || value instanceof Long || value instanceof java.math.BigInteger;
        return whole ? PythonText.parseInt(PythonText.str(value)) : OptionalInt.empty();
    }

    PlacementException refuse(String key, String message) {
        return refusal(path(key), get(key), message);
    }

    static PlacementException refusal(String path, @Nullable Object seen, String message) {
        return PlacementException.builder(message).component(path).seen(seen).build();
    }

    static String show(@Nullable Object value) {
        if (value == null) {
            return "null";
        }
        return value instanceof String ? "\"" + value + "\"" : PythonText.str(value);
    }
}
