/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.argument;

import dev.sglangray.config.Config;
import dev.sglangray.config.argument.ArgumentSchema.Field;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.error.Severity;
import dev.sglangray.config.tree.PythonText;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Checks a {@code server} or {@code router} block against the arguments of a version. */
public final class ArgumentValidator {
    /** What the launcher fills in itself for an engine, as RLinf's does; it overwrites whatever is written. */
    private static final Set<String> FILLED_IN = Set.of("host", "port", "dist_init_addr", "master_port");

    private final ArgumentSchema schema;
    private final Severity unknownKeys;
    private final String advice;
    private final List<ConfigProblem> problems = new ArrayList<>();
    /** The arguments of the schema that have a value, with the key that gives it. */
    private final Map<String, String> given = new HashMap<>();

    private ArgumentValidator(ArgumentSchema schema, Severity unknownKeys, String advice) {
        this.schema = schema;
        this.unknownKeys = unknownKeys;
        this.advice = advice;
    }

    /**
     * Checks a block: unknown keys, names of other versions, types, choices, what is required, keys that are filled in at run time, router
     * fields that cannot be passed on. Values of secret-looking keys do not appear in the problems.
     *
     * @param block a map
     * @param schema the arguments of what will run
     * @return what is wrong, in the order written; empty when all is well
     */
    public static List<ConfigProblem> validate(Config block, ArgumentSchema schema) {
        return validate(block, schema, Severity.ERROR, "");
    }

    /**
     * As above, for a schema that may be of another version than what will run.
     *
     * @param unknownKeys what a key is that the schema does not have
     * @param advice what to do about such a key when it is no slip; may be empty
     */
    public static List<ConfigProblem> validate(
            Config block, ArgumentSchema schema, Severity unknownKeys, String advice) {
        ArgumentValidator validator = new ArgumentValidator(schema, unknownKeys, advice);
        Map<String, Config> entries = block.entries();
        entries.forEach((key, value) -> {
            if (schema.field(key).isPresent() && isGiven(value)) {
                validator.given.put(key, key);
            }
        });
        entries.forEach((key, value) -> {
            try {
                validator.check(key, value);
            } catch (ConfigException e) {
                validator.problems.addAll(e.problems());
            }
        });
        for (Field field : schema.fields().values()) {
            if (field.required() && !entries.containsKey(field.name())) {
                String key = block.path().isEmpty() ? field.name() : block.path() + "." + field.name();
                validator.problems.add(
                        ConfigProblem.error(block.position(), key, "is required, but not given: " + field.help()));
            }
        }
        return explained(block, entries.values(), validator.problems);
    }

    private static boolean isGiven(Config value) {
        try {
            return !value.isNull();
        } catch (ConfigException e) {
            return true; // what is wrong with it is said where it is checked
        }
    }

    /** With the way to each value, and to the block itself where that is an interpolation. */
    private static List<ConfigProblem> explained(
            Config block, Collection<Config> values, List<ConfigProblem> problems) {
        Map<String, Config> byKey = new HashMap<>();
        values.forEach(value -> byKey.put(value.path(), value));
        List<ConfigProblem> explained = new ArrayList<>();
        for (ConfigProblem problem : problems) {
            Set<String> trail =
                    new LinkedHashSet<>(byKey.getOrDefault(problem.key(), block).trail());
            if (block.isReference()) {
                trail.add("'" + block.path() + "' at " + block.position());
            }
            explained.add(problem.trail().isEmpty() ? problem.withTrail(List.copyOf(trail)) : problem);
        }
        return explained;
    }

    /** Whether the launcher fills an engine's argument in itself. */
    public static boolean isFilledIn(Field field) {
        return field.filled() || FILLED_IN.contains(field.name());
    }

    private void check(String key, Config value) {
        Field field = schema.fields().get(key);
        Optional<String> reason = UnsupportedArguments.reason(schema.kind(), key, value);
        if (reason.isPresent()) {
            problems.add(value.error("cannot work in a fleet: it " + reason.get())
                    .withFix("leave it out; TLS, several nodes for an engine and gRPC are not supported"));
            return;
        }
        if (field == null) {
            ArgumentHistory history = schema.history();
            Optional<ArgumentHistory.Successor> successor =
                    history.isReplaced(key) ? history.successor(key, value.toJava(), schema) : Optional.empty();
            successor.ifPresentOrElse(found -> checkSuccessor(key, value, found), () -> checkUnknown(key, value));
            return;
        }
        Object plain = value.toJava();
        if (schema.kind().isEngine() && isFilledIn(field)) {
            if (plain != null) {
                String message = "has no effect: it is filled in when the engine starts";
                problems.add(value.warning(message).withFix("leave it unset"));
            }
        } else if (!field.settable()) {
            problems.add(value.error("cannot be set in a configuration"));
        } else if (!schema.kind().isEngine() && field.commandLine().isEmpty()) {
            problems.add(value.error("cannot be passed to the router: it has no command-line form"));
        } else {
            checkValue(field, value, plain);
        }
    }

    /** An argument that this version does not have, and that nothing takes the place of. */
    private void checkUnknown(String key, Config value) {
        ArgumentHistory history = schema.history();
        String why = history.whyAbsent(key, schema.version());
        String message = owner() + " has no argument '" + key + "'" + why;
        String instead = why.isEmpty()
                ? schema.nearest(key)
                        .map(name -> "did you mean '" + name + "'?")
                        .orElse("")
                : history.instead(key, schema);
        String separator = instead.isEmpty() || advice.isEmpty() ? "" : why.isEmpty() ? " " : "; ";
        ConfigProblem unknown = unknownKeys == Severity.ERROR ? value.error(message) : value.warning(message);
        problems.add(unknown.withFix(instead + separator + advice));
    }

    /** An argument by the name that it had in other versions: the engine and the router get it under its own. */
    private void checkSuccessor(String key, Config value, ArgumentHistory.Successor successor) {
        Field field = successor.field();
        String name = field.name();
        String since = "since " + schema.packageName() + " " + successor.since();
        Object plain = value.toJava();
        Object now = successor.value();
        boolean isTaken =
                !successor.converted() || now == null || field.choices().isEmpty() || isChoice(field, now);
        if (plain != null && !(successor.known() && isTaken)) {
            problems.add(
                    value.error(since + " '" + name + "' is in its place, which has nothing for " + seen(value, plain))
                            .withAllowed(field.choices()));
            return;
        }
        if (plain != null && now == null) {
            problems.add(value.warning("is left out: " + since + " '" + name + "' is in its place")
                    .withFix("remove it"));
            return;
        }
        String earlier = plain == null ? null : given.putIfAbsent(name, key);
        if (earlier != null) {
            problems.add(value.error(since + " this is '" + name + "', which is given too"
                            + (earlier.equals(name) ? "" : ", as '" + earlier + "'"))
                    .withFix("remove one of them"));
            return;
        }
        String written = successor.converted() ? name + ": " + PythonText.str(now) : name;
        problems.add(value.warning("is passed on as '" + written + "', which it is called " + since)
                .withFix("write '" + written + "'"));
        checkValue(field, value, now);
    }

    private String owner() {
        return (schema.packageName() + " " + schema.version()).strip();
    }

    private void checkValue(Field field, Config value, @Nullable Object plain) {
        if (plain == null) {
            // The router's launcher leaves out what is null; the engine takes it as it is.
            if (schema.kind().isEngine() && !field.nullable()) {
                problems.add(value.error("must be " + ArgumentTypes.describe(field) + ", not null"));
            }
        } else if (!ArgumentTypes.fits(field, plain)) {
            String message = "must be " + ArgumentTypes.describe(field) + ", not " + seen(value, plain);
            boolean quotable = field.type() == ArgumentSchema.Type.STR && ArgumentTypes.isScalar(plain);
            problems.add(value.error(message).withAllowed(field.choices()).withFix(quotable ? "quote it" : ""));
        } else if (!field.choices().isEmpty() && !isChoice(field, plain)) {
            problems.add(value.error("cannot be " + seen(value, plain))
                    .withAllowed(field.choices())
                    .withFix(plain instanceof String text ? NearestName.didYouMean(text, field.choices()) : ""));
        }
    }

    /** A list fits when each of its items is among the choices. */
    private static boolean isChoice(Field field, Object plain) {
        if (plain instanceof List<?> items) {
            return items.stream().allMatch(item -> field.choices().contains(PythonText.str(item)));
        }
        return field.choices().contains(PythonText.str(plain))
                || field.choices().contains(String.valueOf(plain));
    }

    private static String seen(Config value, Object plain) {
        if (!ArgumentTypes.isScalar(plain)) {
            return plain instanceof List ? "a list" : "a map";
        }
        String kind = plain instanceof String ? "the text " : "";
        return kind + value.display(plain);
    }
}
