/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import dev.sglangray.config.error.SourcePosition;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A list. */
public final class ListNode extends Node {
    private final List<Node> items = new ArrayList<>();

    public ListNode(SourcePosition position) {
        super(position);
    }

    /** The items; a view that cannot be changed. */
    public List<Node> items() {
        return Collections.unmodifiableList(items);
    }

    public void add(Node item) {
        item.attach(this, items.size());
        items.add(item);
    }

    /** Replaces the item at an index. */
    public void set(int index, Node item) {
        item.attach(this, index);
        items.set(index, item);
    }

    /** Removes the item at an index; those behind it move up. */
    public void remove(int index) {
        items.remove(index);
        for (int i = index; i < items.size(); i++) {
            items.get(i).attach(this, i);
        }
    }

    /** Takes over copies of another list's items instead of its own. */
    void replaceBy(ListNode other) {
        List<Node> copies = other.items.stream().map(Node::copy).toList();
        items.clear();
        copies.forEach(this::add);
    }

    @Override
    public @Nullable Node child(String name) {
        Integer index = Numbers.parseIndex(name);
        return index == null || index < 0 || index >= items.size() ? null : items.get(index);
    }

    @Override
    public ListNode copy() {
        ListNode copy = new ListNode(position());
        items.forEach(item -> copy.add(item.copy()));
        return copy;
    }
}
