/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;

/** A process that has its node and hardware; {@link #complete} counts the rest, which needs all processes. */
public record PlacementDraft(
        NodeInfo node, List<Integer> localHardwareRanks, boolean seesOnlyItsOwn, String nodeGroupLabel) {

    /**
     * Numbers the processes on their nodes. Each run of processes on one node counts as that node.
     *
     * @param isolate the group's wish, recorded in the placements
     */
    static List<Placement> complete(List<PlacementDraft> drafts, boolean isolate) {
        List<Placement> placements = new ArrayList<>(drafts.size());
        int nodeRank = 0;
        int start = 0;
        while (start < drafts.size()) {
            int node = drafts.get(start).node().rank();
            int end = start;
            while (end < drafts.size() && drafts.get(end).node().rank() == node) {
                end++;
            }
            for (int i = start; i < end; i++) {
                placements.add(drafts.get(i).toPlacement(i, nodeRank, i - start, end - start, isolate));
            }
            nodeRank++;
            start = end;
        }
        return Collections.unmodifiableList(placements);
    }

    /**
     * The placement of one process.
     *
     * @param rank its rank in its group
     * @param nodeRank the rank of its node among those of the group
     * @param localRank its rank among the group's processes on the node
     * @param localWorldSize how many these are
     * @param isolate the group's wish, recorded in the placement
     */
    public Placement toPlacement(int rank, int nodeRank, int localRank, int localWorldSize, boolean isolate) {
        List<Integer> visible = seesOnlyItsOwn
                ? localHardwareRanks
                : IntStream.range(0, node.accelerators()).boxed().toList();
        return new Placement(
                rank,
                node.rank(),
                nodeRank,
                visible.isEmpty() ? -1 : visible.get(0),
                node.acceleratorType(),
                localRank,
                localWorldSize,
                visible.stream().map(String::valueOf).toList(),
                isolate,
                localHardwareRanks,
                nodeGroupLabel);
    }
}
