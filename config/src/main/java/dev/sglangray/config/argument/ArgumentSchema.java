/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.argument;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.error.SourcePosition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The arguments that a version of SGLang or of the router takes.
 *
 * @param kind whose arguments these are
 * @param packageName the Python package they come from
 * @param version its version
 * @param fields the arguments by name, in the package's order
 * @param history what other releases have
 */
public record ArgumentSchema(
        Kind kind, String packageName, String version, Map<String, Field> fields, ArgumentHistory history) {

    /** The version of the JSON format that is understood. */
    public static final int FORMAT = 1;

    private static final SourcePosition SOURCE = new SourcePosition("<argument schema>", 0, 0);

    public ArgumentSchema {
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /** Whose arguments a schema describes. */
    public enum Kind {
        /** An engine that serves a language model. */
        SERVER,
        /** An engine of {@code sglang.multimodal_gen}. */
        EMBODIED,
        /** The router of the package {@code sglang-router}. */
        ROUTER,
        /** The router of the package {@code smg}. */
        SMG;

        public boolean isEngine() {
            return this == SERVER || this == EMBODIED;
        }
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
     * @param alternatives for an argument of type ANY, the types it may have; empty when it may have any
     * @param nullable whether null is a value
     * @param choices the values allowed, as text; empty when any is
     * @param commandLine its form on a command line; empty when it has none
     * @param help what it does; may be empty
     * @param aliases other names that it has on a command line, with underscores
     * @param settable whether a configuration may set it
     * @param required whether there is no default
     * @param filled whether it is filled in when the program starts
     */
    public record Field(
            String name,
            Type type,
            List<Type> alternatives,
            boolean nullable,
            List<String> choices,
            String commandLine,
            String help,
            List<String> aliases,
            boolean settable,
            boolean required,
            boolean filled) {

        public Field {
            alternatives = List.copyOf(alternatives);
            choices = List.copyOf(choices);
            aliases = List.copyOf(aliases);
        }
    }

    /** The name of the argument that a name was probably meant to be: the one of an alias, or the nearest. */
    public Optional<String> nearest(String name) {
        String plain = name.replace('-', '_');
        return fields.values().stream()
                .filter(field -> field.aliases().contains(plain))
                .map(Field::name)
                .findFirst()
                .or(() -> NearestName.nearest(name, fields.keySet()));
    }

    /** The argument of a name. */
    public Optional<Field> field(String name) {
        return Optional.ofNullable(fields.get(name));
    }

    /** As {@link #parse(String, ArgumentHistory)}, where nothing is known of other releases. */
    public static ArgumentSchema parse(String json) {
        return parse(json, ArgumentHistory.NONE);
    }

    /**
     * Reads the JSON that {@code python -m sglang_ray.schema} prints.
     *
     * @param history what is known of other releases
     * @throws ConfigException when it is not that
     */
    public static ArgumentSchema parse(String json, ArgumentHistory history) {
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
                kind(root),
                root.path("package").asText(""),
                root.path("version").asText(""),
                fields,
                history);
    }

    static Kind kind(JsonNode root) {
        return constant(Kind.class, root.path("kind").asText(""));
    }

    static Field field(JsonNode node) {
        String name = node.path("name").asText("");
        if (name.isEmpty()) {
            throw problem("the argument schema has a field without a name");
        }
        List<Type> alternatives = texts(node.path("types")).stream()
                .map(type -> constant(Type.class, type))
                .toList();
        return new Field(
                name,
                constant(Type.class, node.path("type").asText("any")),
                alternatives,
                node.path("nullable").asBoolean(true),
                texts(node.path("choices")),
                node.path("cli").asText(""),
                node.path("help").asText(""),
                texts(node.path("aliases")),
                node.path("settable").asBoolean(true),
                node.path("required").asBoolean(false),
                node.path("filled").asBoolean(false));
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(item -> texts.add(item.isNull() ? "null" : item.asText()));
        return texts;
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
