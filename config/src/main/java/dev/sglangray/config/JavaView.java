/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.JavaValues;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.ValueNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Resolved trees as plain Java. */
final class JavaView {
    /** Interpolations can multiply containers; a result that grows beyond this is refused. */
    private static final int MAX_NODES = 1_000_000;

    private final Interpolator interpolator;
    private int nodes;

    private JavaView(Interpolator interpolator) {
        this.interpolator = interpolator;
    }

    static @Nullable Object of(Node node, Interpolator interpolator) {
        return new JavaView(interpolator).convert(node, 0);
    }

    /** A plain list or map that a resolver gave, as a node in its place. */
    static Node expand(ValueNode value) {
        Node node = JavaValues.toNode(value.value(), value.position());
        node.attach(value.parent(), value.key());
        return node;
    }

    private @Nullable Object convert(Node written, int depth) {
        if (depth > JavaValues.MAX_DEPTH || ++nodes > MAX_NODES) {
            throw new ConfigException(ConfigProblem.error(
                    written.position(), written.path(), "grows without end: interpolations contain each other"));
        }
        if (written instanceof ValueNode value && value.isMissing()) {
            throw new ConfigException(Config.missing(written));
        }
        Node node = interpolator.resolve(written);
        if (node instanceof MapNode map) {
            Map<String, @Nullable Object> plain = new LinkedHashMap<>();
            map.entries().forEach((key, child) -> plain.put(PythonText.str(key), convert(child, depth + 1)));
            return Collections.unmodifiableMap(plain);
        }
        if (node instanceof ListNode list) {
            List<@Nullable Object> plain = new ArrayList<>();
            list.items().forEach(item -> plain.add(convert(item, depth + 1)));
            return Collections.unmodifiableList(plain);
        }
        return plain(((ValueNode) node).value());
    }

    /** Plain values that a resolver made may hold nodes of the tree. */
    private @Nullable Object plain(@Nullable Object value) {
        if (value instanceof List<?> list) {
            List<@Nullable Object> plain = new ArrayList<>();
            list.forEach(item -> plain.add(plain(item)));
            return Collections.unmodifiableList(plain);
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> plain = new LinkedHashMap<>();
            map.forEach((key, item) -> plain.put(PythonText.str(key), plain(item)));
            return Collections.unmodifiableMap(plain);
        }
        return value instanceof Node node ? convert(node, 1) : value;
    }
}
