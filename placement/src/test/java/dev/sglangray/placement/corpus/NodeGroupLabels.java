/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.corpus;

import dev.sglangray.config.tree.PythonText;
import dev.sglangray.placement.rank.RankText;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a {@code node_group} value: one label, {@code "a,b"}, or a list; the last two mean the same. */
final class NodeGroupLabels {
    private NodeGroupLabels() {}

    /**
     * The labels of a {@code node_group} value in order.
     *
     * @param value as YAML gives it; a number is a label like any other; null and an empty list name no group, which
     *     stands for the whole cluster
     */
    static List<String> parse(@Nullable Object value) {
        if (value == null) {
            return List.of();
        }
        if (value instanceof List<?> list) {
            return list.stream().map(PythonText::str).toList();
        }
        return Arrays.stream(PythonText.str(value).split(",", -1))
                .map(RankText::strip)
                .toList();
    }
}
