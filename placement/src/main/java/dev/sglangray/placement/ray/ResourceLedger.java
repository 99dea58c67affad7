/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import io.ray.api.PlacementGroups;
import io.ray.api.placementgroup.PlacementGroup;
import io.ray.api.placementgroup.PlacementGroupState;
import java.util.List;

/** Tells who holds the resources of the connected cluster. Ray's API for Java has no more than the names of the groups. */
@FunctionalInterface
public interface ResourceLedger {
    /** Reads it; never fails, but may know nothing. */
    LedgerSnapshot read();

    /** What Ray's API tells: the placement groups with their bundles, but not where these are, and no actors. */
    ResourceLedger PUBLIC = () -> new LedgerSnapshot(
            PlacementGroups.getAllPlacementGroups().stream()
                    .filter(group -> group.getState() != PlacementGroupState.REMOVED)
                    .map(ResourceLedger::group)
                    .toList(),
            List.of());

    private static LedgerSnapshot.Group group(PlacementGroup group) {
        return new LedgerSnapshot.Group(
                group.getId().toString(),
                group.getName() == null ? "" : group.getName(),
                "",
                String.valueOf(group.getState()),
                "",
                group.getBundles().stream()
                        .map(resources -> new LedgerSnapshot.Bundle("", resources))
                        .toList());
    }
}
