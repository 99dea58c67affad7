/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.gateway.GatewayFacts;
import dev.sglangray.app.monitor.OwnerUrls;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.RouterPlan;
import dev.sglangray.placement.ray.FleetReservation;
import java.util.List;

/** What a program that attaches learns of a fleet. Stateless. */
final class FleetFacts {
    private FleetFacts() {}

    /** At the launch. */
    static GatewayFacts of(FleetPlan plan, FleetReservation launch, OwnerUrls urls) {
        return of(
                plan,
                launch,
                urls,
                plan.engines().stream()
                        .map(engine -> new EngineSlot(engine, launch))
                        .toList());
    }

    /** Later, with the engines where they are then. */
    static GatewayFacts of(FleetPlan plan, FleetReservation launch, OwnerUrls urls, List<EngineSlot> slots) {
        GatewayFacts.Group group = plan.bundles().isEmpty()
                ? null
                : new GatewayFacts.Group(id(launch), plan.group().name());
        return new GatewayFacts(
                plan.engines().isEmpty() ? null : plan.engines().get(0).groupName(),
                plan.router().map(RouterPlan::groupName).orElse(null),
                group,
                slots.stream().map(FleetFacts::engine).toList(),
                urls);
    }

    private static GatewayFacts.Engine engine(EngineSlot slot) {
        return new GatewayFacts.Engine(
                slot.engine().rank(),
                slot.engine().bundleIndex(),
                slot.engine().node().ip(),
                id(slot.reservation()));
    }

    private static String id(FleetReservation reservation) {
        return reservation.placementGroup().getId().toString();
    }
}
