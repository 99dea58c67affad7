/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.error.Secrets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The named arguments of a request. Every getter refuses a value of another kind with its name. Immutable. */
public final class GatewayArguments {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final JsonNode values;
    private final int[] ranks;

    GatewayArguments(JsonNode values, int[] ranks) {
        this.values = values;
        this.ranks = ranks.clone();
    }

    /** The ranks that are meant; none means all. */
    int[] ranks() {
        return ranks.clone();
    }

    /** A text that must be there. */
    public String text(String name) {
        return optionalText(name)
                .orElseThrow(() -> new IllegalArgumentException("the argument '" + name + "' is missing"));
    }

    /** A text that may be absent or null. */
    public Optional<String> optionalText(String name) {
        JsonNode value = value(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isTextual()) {
            throw wrong(name, "a text", value);
        }
        return Optional.of(value.textValue());
    }

    /** A whole number of 32 bits, or this one where it is absent or null. */
    public int integer(String name, int otherwise) {
        JsonNode value = value(name);
        if (value == null) {
            return otherwise;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw wrong(name, "a whole number", value);
        }
        return value.intValue();
    }

    /** A whole number of 32 bits; empty where it is absent or null. */
    public Optional<Integer> optionalInteger(String name) {
        return value(name) == null ? Optional.empty() : Optional.of(integer(name, 0));
    }

    /** Yes or no, or this where it is absent or null. */
    public boolean flag(String name, boolean otherwise) {
        JsonNode value = value(name);
        if (value == null) {
            return otherwise;
        }
        if (!value.isBoolean()) {
            throw wrong(name, "true or false", value);
        }
        return value.booleanValue();
    }

    /** A time in seconds, above 0, or this where it is absent or null. */
    public Duration seconds(String name, Duration otherwise) {
        JsonNode value = value(name);
        if (value == null) {
            return otherwise;
        }
        if (!value.isNumber() || !(value.doubleValue() > 0) || value.doubleValue() > Integer.MAX_VALUE) {
            throw wrong(name, "a number of seconds above 0", value);
        }
        return Duration.ofMillis(Math.max(1, Math.round(value.doubleValue() * 1000)));
    }

    /** One of an enumeration's names in lower case, or this where it is absent or null. */
    public <E extends Enum<E>> E word(String name, Class<E> type, E otherwise) {
        Optional<String> word = optionalText(name);
        if (word.isEmpty()) {
            return otherwise;
        }
        List<String> words = new ArrayList<>();
        for (E constant : type.getEnumConstants()) {
            String candidate = constant.name().toLowerCase(Locale.ROOT);
            if (candidate.equals(word.get())) {
                return constant;
            }
            words.add(candidate);
        }
        throw new IllegalArgumentException("the argument '" + name + "' must be one of " + String.join(", ", words)
                + ", not '" + word.get() + "'");
    }

    /** An object with these fields; empty where it is absent or null. */
    public <T> Optional<T> record(String name, Class<T> type) {
        JsonNode value = value(name);
        if (value == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(JSON.convertValue(value, type));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "the argument '" + name + "' is not what this fleet's version takes: " + e.getMessage(), e);
        }
    }

    /** A list of texts; empty where it is absent or null. */
    public List<String> texts(String name) {
        JsonNode value = value(name);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw wrong(name, "a list of texts", value);
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode item : value) {
            if (!item.isTextual()) {
                throw wrong(name, "a list of texts", value);
            }
            texts.add(item.textValue());
        }
        return List.copyOf(texts);
    }

    /** A map that must be there. */
    public Map<String, Object> map(String name) {
        JsonNode value = value(name);
        if (value == null || !value.isObject()) {
            throw wrong(name, "a map", values.path(name));
        }
        return JSON.convertValue(value, new TypeReference<>() {});
    }

    private @Nullable JsonNode value(String name) {
        JsonNode value = values.get(name);
        return value == null || value.isNull() ? null : value;
    }

    private static IllegalArgumentException wrong(String name, String wanted, JsonNode value) {
        String found = Secrets.isSecret(name) ? "what it is (not shown)" : value.toString();
        return new IllegalArgumentException("the argument '" + name + "' must be " + wanted + ", not " + found);
    }
}
