/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.Placement;
import java.util.List;

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
    List<Placement> getPlacement(Cluster cluster, boolean isolateAccelerator);

    /** As {@link #getPlacement(Cluster, boolean)}, isolated. */
    default List<Placement> getPlacement(Cluster cluster) {
        return getPlacement(cluster, true);
    }
}
