/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.Placement;
import java.util.List;
import java.util.OptionalInt;

/** A rule that places the processes of one group on a cluster. Implementations are immutable. */
public sealed interface PlacementStrategy
        permits PackedPlacementStrategy, FlexiblePlacementStrategy, NodePlacementStrategy {
    /**
     * Places the processes.
     *
     * @param isolateAccelerator whether a process sees only the accelerators it was given; else all of its node
     * @return one placement per process, by rank
     * @throws PlacementException when the cluster cannot give what is asked
     */
    default List<Placement> getPlacement(Cluster cluster, boolean isolateAccelerator) {
        return PlacementDraft.complete(drafts(cluster, isolateAccelerator, OptionalInt.empty()), isolateAccelerator)
                .stream()
                .flatMap(List::stream)
                .toList();
    }

    /**
     * As {@link #getPlacement(Cluster, boolean)}, but a process may span nodes, in equal parts. RLinf has nothing of the kind.
     *
     * @param nodes how many nodes each process is to span; 0 for as few as its hardware is on
     * @return the placements of each process's parts, in the order of their nodes; all have the process's rank
     * @throws PlacementException when the cluster cannot give what is asked
     */
    default List<List<Placement>> getParts(Cluster cluster, boolean isolateAccelerator, int nodes) {
        return PlacementDraft.complete(drafts(cluster, isolateAccelerator, OptionalInt.of(nodes)), isolateAccelerator);
    }

    /**
     * The processes, each with its parts.
     *
     * @param nodes as for {@link #getParts}; empty where a process must not span nodes
     */
    List<List<PlacementDraft>> drafts(Cluster cluster, boolean isolateAccelerator, OptionalInt nodes);

    /** As {@link #getPlacement(Cluster, boolean)}, isolated. */
    default List<Placement> getPlacement(Cluster cluster) {
        return getPlacement(cluster, true);
    }
}
