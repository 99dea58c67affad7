/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import java.util.List;

/**
 * A Ray cluster as it was at one moment: its living nodes in the order in which Ray reports them.
 *
 * @param nodes the living nodes
 * @param headNodeId {@link NodeSnapshot#nodeId()} of the driver's node, which gets rank 0 where nodes were started without ranks
 */
public record ClusterSnapshot(List<NodeSnapshot> nodes, String headNodeId) {
    /** Copies the list. */
    public ClusterSnapshot {
        nodes = List.copyOf(nodes);
    }
}
