/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.plan.GroupStrategy;
import io.ray.api.placementgroup.PlacementGroup;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a reservation needs of Ray; a seam for tests. */
interface RayGroups {
    /**
     * Asks Ray for a placement group; returns at once.
     *
     * @throws NameTakenException when the name is taken in this namespace
     */
    PlacementGroup create(String name, List<Map<String, Double>> bundles, GroupStrategy strategy);

    /** The group of a name that exists; a null namespace is this driver's own. */
    Optional<PlacementGroup> find(String name, @Nullable String namespace);

    /** Waits until all bundles are reserved, at most a slice of whole seconds; not interruptible. */
    boolean awaitReady(PlacementGroup group, Duration slice);

    /** Gives a group back; does nothing when it is gone. */
    void remove(PlacementGroup group);

    /** The living nodes with their total resources. */
    ClusterSnapshot cluster();

    /** Who holds resources. */
    LedgerSnapshot ledger();

    /** The time, for deadlines. */
    long nanoTime();

    /** A placement group of that name exists. */
    final class NameTakenException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NameTakenException(Throwable cause) {
            super(cause.getMessage(), cause);
        }
    }
}
