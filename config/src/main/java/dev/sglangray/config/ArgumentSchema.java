/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The arguments that an installed SGLang or router takes.
 *
 * @param kind whose arguments these are
 * @param packageName the Python package they come from
 * @param version its version
 * @param fields the arguments by name, in the package's order
 */
public record ArgumentSchema(Kind kind, String packageName, String version, Map<String, Field> fields) {

    /** The version of the JSON format that is understood. */
    public static final int FORMAT = 1;

    private static final SourcePosition SOURCE = new SourcePosition("<argument schema>", 0, 0);

    public ArgumentSchema {
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /** Whose arguments a schema describes. */
    public enum Kind {
        SERVER,
        ROUTER
    }

    /** The types that can be told apart. */
    public enum Type {
        INT,
        FLOAT,
        STR,
        BOOL,
        LIST,
        DICT,
        /** Anything goes. */
        ANY
    }

    /**
     * One argument.
     *
     * @param name its name
     * @param type its type
     * @param nullable whether null is a value
     * @param choices the values allowed, as text; empty when any is
     * @param commandLine its form on a command line; empty when it has none
     * @param help what it does; may be empty
     * @param settable whether a configuration may set it
     */
    public record Field(
            String name,
            Type type,
            boolean nullable,
            List<String> choices,
            String commandLine,
            String help,
            boolean settable) {

        public Field {
            choices = List.copyOf(choices);
        }
    }

    /** The argument of a name. */
    public Optional<Field> field(String name) {
        return Optional.ofNullable(fields.get(name));
    }

    /**
     * Reads the JSON that {@code python -m sglang_ray.schema} prints.
     *
     * @throws ConfigException when it is not that
     */
    public static ArgumentSchema parse(String json) {
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw problem("the argument schema is not JSON: " + e.getOriginalMessage());
        }
        int format = root.path("schema_version").asInt(0);
        if (format != FORMAT) {
            throw problem("the argument schema has format " + format + ", not " + FORMAT);
        }
        Map<String, Field> fields = new LinkedHashMap<>();
        for (JsonNode node : root.path("fields")) {
            Field field = field(node);
            fields.put(field.name(), field);
        }
        if (fields.isEmpty()) {
            throw problem("the argument schema has no fields");
        }
        return new ArgumentSchema(
                constant(Kind.class, root.path("kind").asText("")),
                root.path("package").asText(""),
                root.path("version").asText(""),
                fields);
    }

    private static Field field(JsonNode node) {
        String name = node.path("name").asText("");
        if (name.isEmpty()) {
            throw problem("the argument schema has a field without a name");
        }
        List<String> choices = new ArrayList<>();
        node.path("choices").forEach(choice -> choices.add(choice.isNull() ? "null" : choice.asText()));
        return new Field(
                name,
                constant(Type.class, node.path("type").asText("any")),
                node.path("nullable").asBoolean(true),
                choices,
                node.path("cli").asText(""),
                node.path("help").asText(""),
                node.path("settable").asBoolean(true));
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String name) {
        try {
            return Enum.valueOf(type, name.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw problem("the argument schema has an unknown " + type.getSimpleName() + " '" + name + "'");
        }
    }

    private static ConfigException problem(String message) {
        return new ConfigException(ConfigProblem.error(SOURCE, "", message));
    }
}
