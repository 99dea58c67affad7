/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.plan.GroupStrategy;
import io.ray.api.id.PlacementGroupId;
import io.ray.api.placementgroup.PlacementGroup;
import io.ray.api.placementgroup.PlacementGroupState;
import io.ray.api.placementgroup.PlacementStrategy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A Ray with a clock of its own: each slice of waiting takes no time but moves the clock. */
final class FakeRayGroups implements RayGroups {
    final List<String> removed = new ArrayList<>();
    LedgerSnapshot ledger = LedgerSnapshot.EMPTY;
    Optional<PlacementGroup> existing = Optional.empty();
    GroupStrategy strategy = GroupStrategy.PACK;
    final ClusterSnapshot cluster;
    int readyAfterSlices = Integer.MAX_VALUE;
    boolean nameTaken;
    boolean interruptWhileWaiting;
    boolean removedByOthers;
    boolean failOnRemove;
    private int slices;
    private long now;

    FakeRayGroups(ClusterSnapshot cluster) {
        this.cluster = cluster;
    }

    @Override
    public PlacementGroup create(String name, List<Map<String, Double>> bundles, GroupStrategy wanted) {
        strategy = wanted;
        if (nameTaken) {
            throw new NameTakenException(
                    new IllegalArgumentException("Placement group with name " + name + " exists!"));
        }
        return new Group(name, bundles);
    }

    @Override
    public boolean awaitReady(PlacementGroup group, Duration slice) {
        if (removedByOthers) {
            throw new IllegalStateException("Placement group is removed.");
        }
        if (interruptWhileWaiting) {
            Thread.currentThread().interrupt();
        }
        now += slice.toNanos();
        return ++slices >= readyAfterSlices;
    }

    @Override
    public void remove(PlacementGroup group) {
        if (failOnRemove) {
            throw new IllegalStateException("no answer");
        }
        removed.add(group.getName());
    }

    @Override
    public ClusterSnapshot cluster() {
        return cluster;
    }

    @Override
    public Optional<PlacementGroup> find(String name, @Nullable String namespace) {
        return existing;
    }

    @Override
    public LedgerSnapshot ledger() {
        return ledger;
    }

    static PlacementGroup group(String name) {
        return new Group(name, List.of());
    }

    @Override
    public long nanoTime() {
        return now;
    }

    private record Group(String name, List<Map<String, Double>> bundles) implements PlacementGroup {
        @Override
        public PlacementGroupId getId() {
            return PlacementGroupId.NIL;
        }

        @Override
        public String getName() {
            return name;
        }

        @Override
        public List<Map<String, Double>> getBundles() {
            return bundles;
        }

        @Override
        public PlacementStrategy getStrategy() {
            return PlacementStrategy.PACK;
        }

        @Override
        public PlacementGroupState getState() {
            return PlacementGroupState.PENDING;
        }

        @Override
        public boolean wait(int timeoutSeconds) {
            return false;
        }
    }
}
