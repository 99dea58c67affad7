/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.ClusterSnapshot;
import io.ray.api.PlacementGroups;
import io.ray.api.Ray;
import io.ray.api.options.PlacementGroupCreationOptions;
import io.ray.api.placementgroup.PlacementGroup;
import io.ray.api.placementgroup.PlacementGroupState;
import io.ray.api.placementgroup.PlacementStrategy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The Ray that this JVM is connected to. */
final class LiveRayGroups implements RayGroups {
    @Override
    public PlacementGroup create(String name, List<Map<String, Double>> bundles) {
        try {
            return PlacementGroups.createPlacementGroup(new PlacementGroupCreationOptions.Builder()
                    .setName(name)
                    .setBundles(bundles)
                    .setStrategy(PlacementStrategy.PACK)
                    .build());
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
        return RayClusterReader.read();
    }

    @Override
    public List<String> others(PlacementGroup than) {
        return PlacementGroups.getAllPlacementGroups().stream()
                .filter(group -> !group.getId().equals(than.getId()))
                .filter(group -> group.getState() != PlacementGroupState.REMOVED)
                .map(LiveRayGroups::describe)
                .toList();
    }

    private static String describe(PlacementGroup group) {
        Map<String, Double> sums = new TreeMap<>();
        for (Map<String, Double> bundle : group.getBundles()) {
            bundle.forEach((name, amount) -> sums.merge(name, amount, Double::sum));
        }
        sums.keySet().removeIf(name -> name.startsWith("node:"));
        return "\"%s\" (%s) with %s".formatted(group.getName(), group.getState(), sums);
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }
}
