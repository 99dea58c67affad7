/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.ArrayList;
import java.util.List;

/** The small table of nodes and accelerators that messages carry. */
final class NodeTable {
    private static final int MOST_ROWS = 20;

    private NodeTable() {}

    static List<String> lines(ClusterSnapshot snapshot) {
        List<String[]> rows = new ArrayList<>();
        for (NodeSnapshot node : snapshot.nodes()) {
            rows.add(row(node.envNodeRank() == null ? "-" : String.valueOf(node.envNodeRank()), node, ""));
        }
        return format(rows);
    }

    static List<String> lines(Cluster cluster) {
        List<String[]> rows = new ArrayList<>();
        for (NodeInfo node : cluster.nodes()) {
            rows.add(row(String.valueOf(node.rank()), node.snapshot(), String.join(",", node.labels())));
        }
        return format(rows);
    }

    private static String[] row(String rank, NodeSnapshot node, String groups) {
        String accelerators = node.accelerators() == 0
                ? "no accelerator"
                : node.accelerators() + " x " + node.acceleratorType()
                        + (node.acceleratorModel().isEmpty() ? "" : ":" + node.acceleratorModel());
        return new String[] {"node " + rank, node.ip(), accelerators, groups.isEmpty() ? "" : "groups " + groups};
    }

    private static List<String> format(List<String[]> rows) {
        int[] width = new int[4];
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                width[i] = Math.max(width[i], row[i].length());
            }
        }
        List<String> lines = new ArrayList<>();
        for (String[] row : rows.subList(0, Math.min(MOST_ROWS, rows.size()))) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < row.length; i++) {
                line.append(row[i]).append(" ".repeat(width[i] - row[i].length() + 2));
            }
            lines.add(line.toString().stripTrailing());
        }
        if (rows.size() > MOST_ROWS) {
            lines.add("... and " + (rows.size() - MOST_ROWS) + " more nodes");
        }
        return lines;
    }
}
