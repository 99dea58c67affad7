/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * OmegaConf's merge: maps merge key by key, everything else is replaced, {@code ???} replaces nothing. When a map
 * merges into an interpolation that leads to a map, it merges into a copy of that one.
 */
public final class Merge {
    private final Function<ValueNode, @Nullable Node> dereference;
    private final boolean closed;

    /**
     * Merges nothing yet.
     *
     * @param dereference gives what an interpolation leads to, or null when it leads nowhere
     * @param closed whether a key that the destination lacks is refused, as OmegaConf's struct mode does
     */
    public Merge(Function<ValueNode, @Nullable Node> dereference, boolean closed) {
        this.dereference = dereference;
        this.closed = closed;
    }

    /**
     * Merges copies of the source's nodes into the destination.
     *
     * @throws MergeException when a map meets a list, or a closed destination lacks a key
     */
    public void into(Node destination, Node source) {
        if (destination instanceof MapNode map && source instanceof MapNode other) {
            mapInto(map, other);
        } else if (destination instanceof ListNode list && source instanceof ListNode other) {
            list.replaceBy(other);
        } else {
            throw new MergeException(source, "cannot merge " + kind(source) + " into " + kind(destination));
        }
    }

    private void mapInto(MapNode destination, MapNode source) {
        for (Map.Entry<Object, Node> entry : source.entries().entrySet()) {
            Object key = entry.getKey();
            Node value = entry.getValue();
            Node present = destination.get(key);
            if (present instanceof ValueNode link && link.isInterpolation() && value.isContainer()) {
                present = follow(destination, key, link);
            }
            if (present == null) {
                if (closed) {
                    throw new MergeException(value, "key '" + PythonText.str(key) + "' does not exist");
                }
                destination.put(key, value.copy());
            } else if (present.isContainer() && value.isContainer()) {
                into(present, value);
            } else if (!(value instanceof ValueNode text && text.isMissing())) {
                destination.put(key, value.copy());
            }
        }
    }

    private Node follow(MapNode destination, Object key, ValueNode link) {
        Node target = dereference.apply(link);
        if (target == null || !target.isContainer()) {
            return link;
        }
        Node copy = target.copy();
        destination.put(key, copy);
        return copy;
    }

    private static String kind(Node node) {
        if (node instanceof MapNode) {
            return "a map";
        }
        return node instanceof ListNode ? "a list" : "a value";
    }
}
