/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.plan.GroupStrategy;
import io.ray.api.PlacementGroups;
import io.ray.api.Ray;
import io.ray.api.placementgroup.PlacementGroup;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The Ray that this JVM is connected to. */
final class LiveRayGroups implements RayGroups {
    private final ResourceLedger ledger;
    private final GroupCreator creator;

    LiveRayGroups(ResourceLedger ledger, GroupCreator creator) {
        this.ledger = ledger;
        this.creator = creator;
    }

    @Override
    public PlacementGroup create(String name, List<Map<String, Double>> bundles, GroupStrategy strategy) {
        try {
            return creator.create(name, bundles, strategy);
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            if (message.contains("exist")) {
                throw new NameTakenException(e);
            }
            throw e;
        }
    }

    @Override
    public boolean awaitReady(PlacementGroup group, Duration slice) {
        return group.wait((int) Math.max(1, slice.toSeconds()));
    }

    @Override
    public void remove(PlacementGroup group) {
        if (Ray.isInitialized()) {
            PlacementGroups.removePlacementGroup(group.getId());
        }
    }

    @Override
    public ClusterSnapshot cluster() {
        return RayClusterReader.readWithoutVariables();
    }

    @Override
    public Optional<PlacementGroup> find(String name, @Nullable String namespace) {
        return Optional.ofNullable(
                namespace == null
                        ? PlacementGroups.getPlacementGroup(name)
                        : PlacementGroups.getPlacementGroup(name, namespace));
    }

    @Override
    public LedgerSnapshot ledger() {
        return ledger.read();
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }
}
