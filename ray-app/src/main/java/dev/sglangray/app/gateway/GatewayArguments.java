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
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.StreamSupport;
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
        return read(name, "a text", JsonNode::isTextual, JsonNode::textValue);
    }

    /** A whole number of 32 bits, or this one where it is absent or null. */
    public int integer(String name, int otherwise) {
        return optionalInteger(name).orElse(otherwise);
    }

    /** A whole number of 32 bits; empty where it is absent or null. */
    public Optional<Integer> optionalInteger(String name) {
        return read(
                name,
                "a whole number",
                value -> value.isIntegralNumber() && value.canConvertToInt(),
                JsonNode::intValue);
    }

    /** Yes or no, or this where it is absent or null. */
    public boolean flag(String name, boolean otherwise) {
        return read(name, "true or false", JsonNode::isBoolean, JsonNode::booleanValue)
                .orElse(otherwise);
    }

    /** A time in seconds, above 0, or this where it is absent or null. */
    public Duration seconds(String name, Duration otherwise) {
        return read(
                        name,
                        "a number of seconds above 0",
                        value ->
                                value.isNumber() && value.doubleValue() > 0 && value.doubleValue() <= Integer.MAX_VALUE,
                        value -> Duration.ofMillis(Math.max(1, Math.round(value.doubleValue() * 1000))))
                .orElse(otherwise);
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
        return read(
                        name,
                        "a list of texts",
                        value -> value.isArray()
                                && StreamSupport.stream(value.spliterator(), false)
                                        .allMatch(JsonNode::isTextual),
                        value -> StreamSupport.stream(value.spliterator(), false)
                                .map(JsonNode::textValue)
                                .toList())
                .orElse(List.of());
    }

    /** A map that must be there. */
    public Map<String, Object> map(String name) {
        JsonNode value = value(name);
        if (value == null || !value.isObject()) {
            throw wrong(name, "a map", values.path(name));
        }
        return JSON.convertValue(value, new TypeReference<>() {});
    }

    private <T> Optional<T> read(String name, String wanted, Predicate<JsonNode> fits, Function<JsonNode, T> how) {
        JsonNode value = value(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!fits.test(value)) {
            throw wrong(name, wanted, value);
        }
        return Optional.of(how.apply(value));
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
