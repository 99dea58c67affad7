/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.JavaValues;
import dev.sglangray.config.tree.KeyPath;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Merge;
import dev.sglangray.config.tree.MergeException;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.Numbers;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.ValueNode;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Applies overrides to a composed tree, in order. */
public final class OverrideApplier {
    private final MapNode root;
    private final Interpolator interpolator;

    public OverrideApplier(MapNode root, Interpolator interpolator) {
        this.root = root;
        this.interpolator = interpolator;
    }

    /**
     * Applies all that can be applied.
     *
     * @return a problem for each override that does not fit
     */
    public List<ConfigProblem> apply(List<ConfigOverride> overrides) {
        List<ConfigProblem> problems = new ArrayList<>();
        for (ConfigOverride override : overrides) {
            try {
                apply(override);
            } catch (ConfigException e) {
                problems.addAll(e.problems());
            }
        }
        return problems;
    }

    private void apply(ConfigOverride override) {
        if (override.packageName() != null) {
            throw problem(override, "there is no config group '" + override.key() + "'", "");
        }
        switch (override.type()) {
            case DELETE -> delete(override);
            case ADD -> add(override);
            case FORCE_ADD -> update(override, true);
            case CHANGE -> update(override, false);
        }
    }

    private void delete(ConfigOverride override) {
        Node found = find(override.key());
        if (found == null || isNothing(found)) {
            throw problem(override, "cannot be deleted: it does not exist", nearest(override.key()));
        }
        Object wanted = override.value();
        if (override.hasValue() && wanted != null && !matches(found, wanted)) {
            String seen =
                    found instanceof ValueNode value ? Secrets.display(override.key(), value.value()) : "a container";
            throw problem(override, "cannot be deleted: its value is " + seen, "");
        }
        String key = override.key();
        int dot = key.lastIndexOf('.');
        Node parent = dot < 0 ? root : find(key.substring(0, dot));
        String last = key.substring(dot + 1);
        if (parent instanceof MapNode map && map.get(last) != null) {
            map.remove(last);
        } else {
            throw problem(override, "cannot be deleted: it is no key of a map", "");
        }
    }

    /** Null and missing values count as not there. */
    private static boolean isNothing(Node found) {
        return found instanceof ValueNode value && (value.value() == null || value.isMissing());
    }

    private static boolean matches(Node found, Object wanted) {
        if (found instanceof ValueNode value) {
            Object seen = value.value();
            if (number(seen) instanceof Number a && number(wanted) instanceof Number b) {
                return a.equals(b) || a.doubleValue() == b.doubleValue();
            }
            return Objects.equals(seen, wanted);
        }
        return PythonText.repr(found).equals(PythonText.repr(wanted));
    }

    /** Python takes true for 1. */
    private static @Nullable Object number(@Nullable Object value) {
        return value instanceof Boolean truth ? Integer.valueOf(truth ? 1 : 0) : value;
    }

    private void add(ConfigOverride override) {
        Node found = find(override.key());
        boolean container = override.value() instanceof List || override.value() instanceof java.util.Map;
        if (found != null && !isNothing(found) && !container) {
            String line = override.displayLine();
            throw problem(
                    override,
                    "is already there",
                    "write '" + line.substring(1) + "' to change it, or '+" + line + "' to add or change it");
        }
        update(override, true);
    }

    private void update(ConfigOverride override, boolean force) {
        Node value = node(override);
        List<String> parts = KeyPath.split(override.key());
        Node parent = root;
        for (String part : parts.subList(0, parts.size() - 1)) {
            parent = step(override, parent, part, force);
        }
        String last = parts.get(parts.size() - 1);
        Node present = parent.child(last);
        if (value.isContainer() && present != null && present.isContainer()) {
            try {
                new Merge(interpolator::resolveOrNull, !force).into(present, value);
            } catch (MergeException e) {
                String message = e.path().isEmpty() ? String.valueOf(e.getMessage()) : e.path() + ": " + e.getMessage();
                throw problem(override, message, "");
            }
            return;
        }
        set(override, parent, last, value, force);
    }

    private Node step(ConfigOverride override, Node parent, String part, boolean force) {
        Node child = parent.child(part);
        if (child == null || !child.isContainer()) {
            // An interpolation on the way is replaced, not followed, as in OmegaConf.
            MapNode map = new MapNode(override.position());
            set(override, parent, part, map, force);
            return map;
        }
        return child;
    }

    private void set(ConfigOverride override, Node parent, String key, Node value, boolean force) {
        if (parent instanceof MapNode map) {
            if (!force && map.get(key) == null) {
                String fix = nearest(override.key());
                throw problem(
                        override,
                        "does not exist",
                        (fix.isEmpty() ? "" : fix + " or ") + "to add it, write '+" + override.displayLine() + "'");
            }
            map.put(key, value);
        } else if (parent instanceof ListNode list) {
            list.set(index(override, list, key), value);
        } else {
            throw problem(override, "'" + parent.path() + "' is neither a map nor a list", "");
        }
    }

    private static int index(ConfigOverride override, ListNode list, String key) {
        BigInteger index = Numbers.parsePythonInt(key);
        int size = list.items().size();
        if (index == null
                || index.bitLength() >= Integer.SIZE
                || index.intValue() < -size
                || index.intValue() >= size) {
            throw problem(override, "'" + key + "' is no index of a list of " + size + " items", "");
        }
        return index.intValue() < 0 ? index.intValue() + size : index.intValue();
    }

    private Node node(ConfigOverride override) {
        Node value;
        try {
            value = JavaValues.toNode(override.value(), override.position());
        } catch (IllegalArgumentException e) {
            throw problem(override, String.valueOf(e.getMessage()), "");
        }
        List<ConfigProblem> grammar = Interpolator.grammarProblems(value);
        if (!grammar.isEmpty()) {
            throw problem(override, grammar.get(0).message(), grammar.get(0).fix());
        }
        return value;
    }

    /** What stands at a key, interpolations on the way followed; null when there is nothing. */
    private @Nullable Node find(String key) {
        Node node = root;
        for (String part : KeyPath.split(key)) {
            node = node.child(part);
            if (node instanceof ValueNode link && link.isInterpolation()) {
                node = interpolator.resolve(link);
            }
            if (node == null) {
                return null;
            }
        }
        return node;
    }

    private String nearest(String key) {
        List<String> parts = KeyPath.split(key);
        Node node = root;
        StringBuilder walked = new StringBuilder();
        for (String part : parts) {
            Node child = node.child(part);
            if (child == null && node instanceof MapNode map) {
                String prefix = walked.toString();
                return NearestName.nearest(
                                part,
                                map.entries().keySet().stream()
                                        .map(PythonText::str)
                                        .toList())
                        .map(found -> "did you mean '" + prefix + found + "'?")
                        .orElse("");
            }
            if (child == null) {
                return "";
            }
            walked.append(part).append('.');
            node = child;
        }
        return "";
    }

    private static ConfigException problem(ConfigOverride override, String message, String fix) {
        return new ConfigException(ConfigProblem.error(override.position(), override.key(), message)
                .withFix(fix));
    }
}
