/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.tree.JavaValues;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A resolved configuration as rows, each with the origin of its value, for showing. Secrets are left out. */
public final class TreeView {
    /** What stands in the place of a secret. */
    public static final String HIDDEN = Secrets.HIDDEN;

    private static final int MOST_ROWS = 1_000_000;
    static final Pattern VARIABLE = Pattern.compile("oc\\.env:\\s*[\"']?([A-Za-z0-9_]+)");

    private final List<Row> rows = new ArrayList<>();
    private final List<ConfigProblem> problems = new ArrayList<>();
    private final Map<String, List<String>> files;

    private TreeView(Map<String, List<String>> files) {
        this.files = files;
    }

    /** What a row is. */
    public enum Kind {
        MAP,
        LIST,
        VALUE,
        /** {@code ???}: the user must give a value. */
        MISSING,
        /** A value that cannot be resolved. */
        BROKEN
    }

    /**
     * One node of the tree; those of a container follow it.
     *
     * @param path its dotted path in the resolved tree
     * @param depth how deep it stands, from 0
     * @param name its key, or null in a list
     * @param kind what it is
     * @param value for a value: text, number, boolean, bytes or null, or {@link #HIDDEN}; else null
     * @param size for a container: how many it holds
     * @param position where it was written
     * @param interpolation the interpolation written there; empty when there is none or it may hold a secret
     * @param trail what the interpolation leads through, one line a step
     */
    public record Row(
            String path,
            int depth,
            @Nullable String name,
            Kind kind,
            @Nullable Object value,
            int size,
            SourcePosition position,
            String interpolation,
            List<String> trail) {
        public Row {
            trail = List.copyOf(trail);
        }
    }

    /** The rows of everything below a node, in the order written; without the node itself when it is a container. */
    public static TreeView of(Config config) {
        TreeView view = new TreeView(config.files());
        view.add(config, config.path(), null, -1);
        return view;
    }

    /** The rows. */
    public List<Row> rows() {
        return rows;
    }

    /** For each file that a defaults list brought in, the defaults lists on the way, the nearest first. */
    public Map<String, List<String>> files() {
        return files;
    }

    /** What is wrong with the rows that are broken. */
    public List<ConfigProblem> problems() {
        return problems;
    }

    private void add(Config config, String path, @Nullable String name, int depth) {
        if (depth > JavaValues.MAX_DEPTH || rows.size() > MOST_ROWS) {
            throw new ConfigException(ConfigProblem.error(
                    config.position(), path, "grows without end: interpolations contain each other"));
        }
        List<String> trail = config.ledThrough();
        boolean secret = isSecret(config, path);
        String interpolation =
                secret ? "" : Secrets.inText(config.interpolation().orElse(""));
        Kind kind;
        List<Config> children;
        @Nullable Object value = null;
        try {
            kind = kind(config);
            children = config.children();
            value = kind == Kind.VALUE ? config.value() : null;
        } catch (ConfigException e) {
            kind = Kind.BROKEN;
            children = List.of();
            e.problems().forEach(problem -> problems.add(config.explain(problem)));
        }
        if (secret
                && value != null
                && !(value instanceof Boolean)
                && (Secrets.hides(path, value) || !Secrets.isSecretPath(path))) {
            value = HIDDEN;
        } else if (value instanceof String text) {
            value = Secrets.inText(text);
        }
        if (depth >= 0 || (kind != Kind.MAP && kind != Kind.LIST)) {
            rows.add(new Row(
                    path,
                    Math.max(0, depth),
                    name,
                    kind,
                    value,
                    children.size(),
                    config.position(),
                    interpolation,
                    trail));
        }
        List<String> keys = kind == Kind.MAP ? config.keys() : List.of();
        for (int i = 0; i < children.size(); i++) {
            String key = kind == Kind.MAP ? keys.get(i) : null;
            String below = key == null ? path + "[" + i + "]" : path.isEmpty() ? key : path + "." + key;
            add(children.get(i), below, key, depth + 1);
        }
    }

    private static Kind kind(Config config) {
        if (config.isMissing()) {
            return Kind.MISSING;
        } else if (config.isMap()) {
            return Kind.MAP;
        }
        return config.isList() ? Kind.LIST : Kind.VALUE;
    }

    /** Whether the value is named, or comes from something named, like a secret. */
    static boolean isSecret(Config config, String path) {
        return Secrets.isSecretPath(path)
                || readsSecret(config)
                || config.sources().stream()
                        .anyMatch(source -> Secrets.isSecretPath(source.path()) || readsSecret(source));
    }

    private static boolean readsSecret(Config config) {
        Matcher variables = VARIABLE.matcher(config.interpolation().orElse(""));
        while (variables.find()) {
            if (Secrets.isSecret(variables.group(1))) {
                return true;
            }
        }
        return false;
    }
}
