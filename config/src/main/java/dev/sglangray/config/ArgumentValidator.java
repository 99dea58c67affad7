/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.ArgumentSchema.Field;
import dev.sglangray.config.ArgumentSchema.Kind;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Names;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.tree.Numbers;
import dev.sglangray.config.tree.PythonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Checks a {@code server} or {@code router} block against the arguments of what is installed. */
public final class ArgumentValidator {
    /** What the launcher fills in itself for an engine; it overwrites whatever is written. */
    private static final Set<String> FILLED_IN = Set.of("host", "port", "dist_init_addr");

    private ArgumentValidator() {}

    /**
     * Checks a block: unknown keys, types, choices, keys that are filled in at run time, router fields that cannot be
     * passed on. Values of secret-looking keys do not appear in the problems.
     *
     * @param block a map
     * @param schema the arguments of what will run
     * @return what is wrong, in the order written; empty when all is well
     */
    public static List<ConfigProblem> validate(Config block, ArgumentSchema schema) {
        List<ConfigProblem> problems = new ArrayList<>();
        List<String> keys = block.keys();
        List<Config> values = block.children();
        for (int i = 0; i < keys.size(); i++) {
            try {
                check(keys.get(i), values.get(i), schema, problems);
            } catch (ConfigException e) {
                problems.addAll(e.problems());
            }
        }
        return problems;
    }

    private static void check(String key, Config value, ArgumentSchema schema, List<ConfigProblem> problems) {
        Field field = schema.fields().get(key);
        if (field == null) {
            String owner = (schema.packageName() + " " + schema.version()).strip();
            problems.add(error(value, owner + " has no argument '" + key + "'")
                    .withFix(Names.didYouMean(key, schema.fields().keySet())));
            return;
        }
        Object plain = value.toJava();
        if (schema.kind() == Kind.SERVER && FILLED_IN.contains(key)) {
            if (plain != null) {
                problems.add(ConfigProblem.warning(
                                value.position(), value.path(), "has no effect: it is filled in when the engine starts")
                        .withFix("leave it unset"));
            }
            return;
        }
        if (!field.settable()) {
            problems.add(error(value, "cannot be set"));
            return;
        }
        if (schema.kind() == Kind.ROUTER && field.commandLine().isEmpty()) {
            problems.add(error(value, "cannot be passed to the router: it has no command-line form"));
            return;
        }
        checkValue(field, value, plain, problems);
    }

    private static void checkValue(Field field, Config value, @Nullable Object plain, List<ConfigProblem> problems) {
        if (plain == null) {
            if (!field.nullable()) {
                problems.add(error(value, "must be " + describe(field) + ", not null"));
            }
            return;
        }
        if (!fits(field, plain)) {
            problems.add(error(value, "must be " + describe(field) + ", not " + seen(field.name(), plain))
                    .withAllowed(field.choices()));
            return;
        }
        if (!field.choices().isEmpty() && !chosen(field, plain)) {
            problems.add(error(value, "cannot be " + seen(field.name(), plain))
                    .withAllowed(field.choices())
                    .withFix(Names.didYouMean(PythonText.str(plain), field.choices())));
        }
    }

    private static ConfigProblem error(Config value, String message) {
        return ConfigProblem.error(value.position(), value.path(), message);
    }

    private static boolean fits(Field field, Object plain) {
        return switch (field.type()) {
            case INT -> Numbers.isInteger(plain);
            case FLOAT -> plain instanceof Number;
            case STR -> plain instanceof String;
            case BOOL -> plain instanceof Boolean;
            case LIST -> plain instanceof List;
            case DICT -> plain instanceof Map;
            case ANY -> true;
        };
    }

    /** A list fits when each of its items is among the choices. */
    private static boolean chosen(Field field, Object plain) {
        if (plain instanceof List<?> items) {
            return items.stream().allMatch(item -> field.choices().contains(PythonText.str(item)));
        }
        return field.choices().contains(PythonText.str(plain))
                || field.choices().contains(String.valueOf(plain));
    }

    private static String describe(Field field) {
        String noun = switch (field.type()) {
            case INT -> "an integer";
            case FLOAT -> "a number";
            case STR -> "a text";
            case BOOL -> "true or false";
            case LIST -> "a list";
            case DICT -> "a map";
            case ANY -> "a value";
        };
        return field.nullable() ? noun + " or null" : noun;
    }

    private static String seen(String key, Object plain) {
        if (plain instanceof List || plain instanceof Map) {
            return plain instanceof List ? "a list" : "a map";
        }
        String kind = plain instanceof String ? "the text " : "";
        return kind + Secrets.display(key, plain);
    }
}
