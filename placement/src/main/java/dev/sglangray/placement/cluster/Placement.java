/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import java.util.List;

/**
 * Where one process of a group goes. The fields are RLinf's.
 *
 * @param rank the process's rank in its group
 * @param clusterNodeRank the rank of its node in the cluster
 * @param placementNodeRank the rank of its node among the nodes that the group uses
 * @param localAcceleratorRank the first accelerator it sees, counted on its node; -1 when it sees none
 * @param acceleratorType the kind of accelerators of its node
 * @param localRank its rank among the group's processes on its node
 * @param localWorldSize how many processes of the group its node has
 * @param visibleAccelerators the accelerators it sees, counted on its node
 * @param isolateAccelerator whether it should see its own accelerators only
 * @param localHardwareRanks the hardware it was given, counted on its node; empty for node placements
 * @param nodeGroupLabel the node group that its rank was counted in
 */
public record Placement(
        int rank,
        int clusterNodeRank,
        int placementNodeRank,
        int localAcceleratorRank,
        AcceleratorType acceleratorType,
        int localRank,
        int localWorldSize,
        List<String> visibleAccelerators,
        boolean isolateAccelerator,
        List<Integer> localHardwareRanks,
        String nodeGroupLabel) {
    /** Copies the lists. */
    public Placement {
        visibleAccelerators = List.copyOf(visibleAccelerators);
        localHardwareRanks = List.copyOf(localHardwareRanks);
    }

    /** The same place for a process of another rank. */
    public Placement atRank(int other) {
        return new Placement(
                other,
                clusterNodeRank,
                placementNodeRank,
                localAcceleratorRank,
                acceleratorType,
                localRank,
                localWorldSize,
                visibleAccelerators,
                isolateAccelerator,
                localHardwareRanks,
                nodeGroupLabel);
    }
}
