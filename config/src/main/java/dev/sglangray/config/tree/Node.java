/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import dev.sglangray.config.error.SourcePosition;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A node of the tree while it is composed. Each node has at most one parent; a copy has none. Trees are changed only
 * during composition and only read afterwards, so that many threads may read a composed tree.
 */
public abstract sealed class Node permits MapNode, ListNode, ValueNode {
    private final SourcePosition position;
    private @Nullable Node parent;
    private @Nullable Object key;

    Node(SourcePosition position) {
        this.position = Objects.requireNonNull(position, "position");
    }

    /** Where the node was written. */
    public SourcePosition position() {
        return position;
    }

    public @Nullable Node parent() {
        return parent;
    }

    /** The key under which the parent holds this node: a key of a map, or the index in a list. */
    public @Nullable Object key() {
        return key;
    }

    /** Places this node below a parent, without telling the parent. Used for nodes that a resolver makes. */
    public void attach(@Nullable Node newParent, @Nullable Object newKey) {
        this.parent = newParent;
        this.key = newKey;
    }

    /** The topmost node above this one; the node itself when it has no parent. */
    public Node root() {
        Node node = this;
        while (node.parent != null) {
            node = node.parent;
        }
        return node;
    }

    /** The way from the root to here, such as {@code a.b[0].c}; empty for the root. */
    public String path() {
        Deque<Node> chain = new ArrayDeque<>();
        for (Node node = this; node.parent != null; node = node.parent) {
            chain.addFirst(node);
        }
        StringBuilder text = new StringBuilder();
        for (Iterator<Node> steps = chain.iterator(); steps.hasNext(); ) {
            Node step = steps.next();
            if (step.parent instanceof ListNode) {
                text.append('[').append(step.key).append(']');
            } else {
                text.append(text.isEmpty() ? "" : ".").append(PythonText.str(step.key));
            }
        }
        return text.toString();
    }

    /** The child under a textual key or index, as a path names it; null when there is none. */
    public abstract @Nullable Node child(String name);

    /** A deep copy without a parent. */
    public abstract Node copy();

    public boolean isContainer() {
        return !(this instanceof ValueNode);
    }
}
