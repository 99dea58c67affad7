/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a {@code node_group} value: one label, {@code "a,b"}, or a YAML list; the last two mean the same. */
public final class NodeGroupLabels {
    private NodeGroupLabels() {}

    /**
     * The labels of a {@code node_group} value in order.
     *
     * @param value as YAML gives it; a number is a label like any other
     * @throws PlacementException when it names no label
     */
    public static List<String> parse(@Nullable Object value) {
        List<String> labels;
        if (value instanceof List<?> list) {
            labels = list.stream().map(PythonText::str).toList();
        } else if (value instanceof String text && text.contains(",")) {
            labels =
                    List.of(text.split(",", -1)).stream().map(PythonText::strip).toList();
        } else {
            labels = List.of(PythonText.str(value));
        }
        if (labels.isEmpty() || value == null) {
            throw PlacementException.builder(
                            "node_group is %s: name a node group, or leave the key out for the whole cluster"
                                    .formatted(value == null ? "null" : "empty"))
                    .seen(value)
                    .build();
        }
        return labels;
    }
}
