/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.RunningFleetPlan;
import dev.sglangray.placement.ray.FleetReservation;
import java.util.Set;

/**
 * Where an engine lives, or could: its plan, and the reservation that has its bundle.
 *
 * @param engine the plan; without an engine, the last one's
 * @param reservation what holds the bundle
 */
record EngineSlot(EnginePlan engine, FleetReservation reservation) {
    EngineSlot forRank(int rank, int engines) {
        return new EngineSlot(engine.atRank(rank, engines), reservation);
    }

    FleetState.Seat seat(boolean taken) {
        return new FleetState.Seat(
                new RunningFleetPlan.Engine(
                        engine.pool(),
                        engine.parts().stream()
                                .map(part -> new RunningFleetPlan.Seat(part.placement(), part.bundleIndex()))
                                .toList()),
                String.valueOf(reservation.placementGroup().getName()),
                taken);
    }

    /** The nodes of the engine's parts, in words. */
    String nodes() {
        return String.join(" and ", engine.nodeIps());
    }

    /** Whether all of the engine's nodes are among these. */
    boolean isOn(Set<String> nodeIps) {
        return nodeIps.containsAll(engine.nodeIps());
    }
}
