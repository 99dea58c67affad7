/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import java.util.Objects;

/** Looks into trees in tests. */
public final class Trees {
    private Trees() {}

    /** The node at a path that exists. */
    public static Node at(Node tree, String path) {
        Node node = tree;
        for (String part : KeyPath.split(path)) {
            node = Objects.requireNonNull(node.child(part), path);
        }
        return node;
    }
}
