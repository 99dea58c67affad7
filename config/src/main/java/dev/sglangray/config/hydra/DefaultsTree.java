/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A configuration in the tree that defaults lists make, with those that its own list names. Not thread-safe. */
final class DefaultsTree {
    private final DefaultItem item;
    private final @Nullable DefaultsTree parent;
    private List<DefaultsTree> children = List.of();

    DefaultsTree(DefaultItem item, @Nullable DefaultsTree parent) {
        this.item = item;
        this.parent = parent;
    }

    DefaultItem item() {
        return item;
    }

    @Nullable
    DefaultsTree parent() {
        return parent;
    }

    void children(List<DefaultsTree> ordered) {
        children = ordered;
    }

    /** The steps of the composition that this tree stands for, in order. */
    List<Step> steps() {
        List<Step> steps = new ArrayList<>();
        collect(steps);
        return steps;
    }

    /**
     * One configuration to merge.
     *
     * @param path which one
     * @param packageName where in the result it goes
     * @param primary whether it is the primary configuration
     * @param choice the item that names it, for messages
     * @param self whether it is merged for the sake of its own list's {@code _self_}
     * @param trail the defaults lists that lead to it, the nearest first
     */
    record Step(
            String path, String packageName, boolean primary, DefaultItem choice, boolean self, List<String> trail) {}

    /** The defaults lists that lead to this configuration, the nearest first; none for the primary one. */
    List<String> trail() {
        List<String> trail = new ArrayList<>();
        for (DefaultsTree tree = this; tree != null && tree.parent != null; tree = tree.parent) {
            if (!tree.item.isSelf()) {
                trail.add("the defaults list at " + tree.item.position() + ", which names '" + tree.item.configPath()
                        + "'");
            }
        }
        return trail;
    }

    private void collect(List<Step> steps) {
        if (!children.isEmpty()) {
            children.forEach(child -> child.collect(steps));
            return;
        }
        if (item.isDeleted() || item.isMissing() || item.name() == null) {
            return;
        }
        DefaultItem source = item.isSelf() && parent != null ? parent.item : item;
        steps.add(new Step(
                source.configPath(), source.finalPackage(), source.isPrimary(), source, item.isSelf(), trail()));
    }
}
