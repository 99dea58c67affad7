/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.placement.TextTable;
import java.util.List;

/** The small table of nodes and accelerators that messages carry. */
public final class NodeTable {
    private static final int MOST_ROWS = 20;

    private NodeTable() {}

    public static List<String> lines(ClusterSnapshot snapshot) {
        TextTable table = new TextTable();
        for (NodeSnapshot node : snapshot.nodes()
                .subList(0, Math.min(MOST_ROWS + 1, snapshot.nodes().size()))) {
            table.row("node " + (node.envNodeRank() == null ? "-" : node.envNodeRank()), node.ip(), accelerators(node));
        }
        return lines(table, snapshot.nodes().size());
    }

    public static List<String> lines(Cluster cluster) {
        TextTable table = new TextTable();
        for (NodeInfo node : cluster.nodes()
                .subList(0, Math.min(MOST_ROWS + 1, cluster.nodes().size()))) {
            String groups = String.join(",", node.labels());
            table.row(
                    "node " + node.rank(),
                    node.ip(),
                    accelerators(node.snapshot()),
                    groups.isEmpty() ? "" : "groups " + groups);
        }
        return lines(table, cluster.nodes().size());
    }

    private static List<String> lines(TextTable table, int total) {
        List<String> lines = new java.util.ArrayList<>(table.lines(MOST_ROWS, "nodes"));
        if (total > MOST_ROWS) {
            lines.set(lines.size() - 1, "... and " + (total - MOST_ROWS) + " more nodes");
        }
        return lines;
    }

    public static String accelerators(NodeSnapshot node) {
        if (node.accelerators() == 0) {
            return "no accelerator";
        }
        String model = node.acceleratorModel().isEmpty() ? "" : ":" + node.acceleratorModel();
        return node.accelerators() + " x " + node.acceleratorType() + model;
    }
}
