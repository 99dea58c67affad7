/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.plan.GroupStrategy;
import io.ray.api.PlacementGroups;
import io.ray.api.options.PlacementGroupCreationOptions;
import io.ray.api.placementgroup.PlacementGroup;
import io.ray.api.placementgroup.PlacementStrategy;
import java.util.List;
import java.util.Map;

/** Asks Ray for placement groups. A creator decides what a group's life is bound to. */
@FunctionalInterface
public interface GroupCreator {
    /** Ray removes the group when the process that asked for it ends: the only kind that Ray's Java API can create. */
    GroupCreator OF_THIS_PROCESS = (name, bundles, strategy) ->
            PlacementGroups.createPlacementGroup(new PlacementGroupCreationOptions.Builder()
                    .setName(name)
                    .setBundles(bundles)
                    .setStrategy(PlacementStrategy.valueOf(strategy.name()))
                    .build());

    /**
     * Creates a group; returns before its bundles are reserved.
     *
     * @param bundles the resources of each bundle, in Ray's units
     * @throws IllegalArgumentException with {@code exist} in its text when the name is taken in this Ray namespace
     */
    PlacementGroup create(String name, List<Map<String, Double>> bundles, GroupStrategy strategy);
}
