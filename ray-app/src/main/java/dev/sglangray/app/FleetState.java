/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.BundlePlan;
import dev.sglangray.placement.plan.RunningFleetPlan;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where a fleet's processes are: what its owner knows beside the configuration. Has no secret. Travels as JSON.
 *
 * @param nodes the cluster's nodes by rank
 * @param launched how many of them there were at the launch
 * @param masterAddress the {@code MASTER_ADDR} that the engines were given; empty without engines
 * @param wanted how many engines each pool is to have, by the pool's name
 * @param changes how many placement groups for further engines there were
 * @param routerBundle the router's bundle; -1 without a router
 * @param bundles the bundles of the launch's placement group
 * @param seats the places of engines
 */
public record FleetState(
        List<NodeSnapshot> nodes,
        int launched,
        String masterAddress,
        Map<String, Integer> wanted,
        int changes,
        int routerBundle,
        List<BundlePlan> bundles,
        List<Seat> seats) {
    /** Copies the lists. */
    public FleetState {
        nodes = List.copyOf(nodes);
        wanted = Collections.unmodifiableMap(new LinkedHashMap<>(wanted));
        bundles = List.copyOf(bundles);
        seats = List.copyOf(seats);
    }

    /** How many engines the fleet is to have. */
    int engines() {
        return wanted.values().stream().mapToInt(Integer::intValue).sum();
    }

    /**
     * A place of an engine.
     *
     * @param engine the engine's pool, and the places and bundles of its parts
     * @param group the name of its placement group
     * @param taken whether an engine is there
     */
    public record Seat(RunningFleetPlan.Engine engine, String group, boolean taken) {
        /** The engine's rank. */
        int rank() {
            return engine.parts().get(0).placement().rank();
        }
    }

    /** The seat of the engine of a rank. */
    public Optional<Seat> seat(int rank) {
        return seats.stream()
                .filter(seat -> seat.taken() && seat.rank() == rank)
                .findFirst();
    }
}
