/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;

/** Reads fields of maps and collects what is wrong with them, so that all is reported at once. Not thread-safe. */
public final class Fields {
    private static final Set<String> TRUE = Set.of("true", "yes", "on");
    private static final Set<String> FALSE = Set.of("false", "no", "off");

    private final List<ConfigProblem> problems = new ArrayList<>();

    /** All problems so far. */
    public List<ConfigProblem> problems() {
        return problems;
    }

    public void add(ConfigProblem problem) {
        problems.add(problem);
    }

    /** Runs a step and keeps its problems instead of throwing. */
    public void attempt(Runnable step) {
        attempt(
                () -> {
                    step.run();
                    return Boolean.TRUE;
                },
                Boolean.FALSE);
    }

    /** A step's value, or the fallback when it has problems, which are kept. */
    public <T> T attempt(Supplier<T> step, T fallback) {
        try {
            return step.get();
        } catch (ConfigException e) {
            problems.addAll(e.problems());
            return fallback;
        }
    }

    /** A field's value, or the fallback when it is absent, null or wrong. */
    public <T> T read(Config map, String key, T fallback, Function<Config, T> how) {
        return attempt(
                () -> map.select(key).filter(field -> !field.isNull()).map(how).orElse(fallback), fallback);
    }

    /** As {@link #read}, and a problem when the field is absent or null. */
    public <T> T require(Config map, String key, T fallback, Function<Config, T> how) {
        return attempt(
                () -> {
                    Config field = map.require(key);
                    if (field.isNull()) {
                        throw new ConfigException(field.error("is required, but null"));
                    }
                    return how.apply(field);
                },
                fallback);
    }

    /** A boolean; text that says so counts, any other text is a problem, never true. */
    public boolean bool(Config map, String key, boolean fallback) {
        return read(map, key, fallback, Fields::bool);
    }

    public static boolean bool(Config field) {
        Object value = field.value();
        if (value instanceof String text) {
            String word = text.strip().toLowerCase(Locale.ROOT);
            if (TRUE.contains(word) || FALSE.contains(word)) {
                return TRUE.contains(word);
            }
        }
        return field.asBoolean();
    }

    /** Whether a value is a map; a problem when it is not. */
    public boolean isMap(Config config, String what) {
        if (config.isMap()) {
            return true;
        }
        add(config.error(what));
        return false;
    }

    /** Items of a list field; none when it is absent or null, a problem when it is no list. */
    public List<Config> items(Config map, String key, String hint) {
        return read(map, key, List.of(), field -> {
            if (!field.isList()) {
                throw new ConfigException(field.error("must be a list").withFix(hint));
            }
            return field.children();
        });
    }

    /** A problem for each key that is not known, with the nearest that is. */
    public void onlyKnown(Config map, Collection<String> known) {
        problems.addAll(KnownKeys.unknown(map, known.stream().sorted().toList()));
    }
}
