/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.ray.FleetReservation;

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
                engine.placement(),
                engine.bundleIndex(),
                String.valueOf(reservation.placementGroup().getName()),
                taken);
    }

    String nodeIp() {
        return engine.node().ip();
    }
}
