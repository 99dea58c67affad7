/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.placement.EnginePlan;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.RouterPlan;
import java.util.List;
import java.util.Optional;

/** Turns a fleet's plan into the actors to create. */
final class PlanLaunches {
    private PlanLaunches() {}

    static List<Launch<ServerSpec>> servers(FleetPlan plan, GroupOptions options) {
        return plan.engines().stream()
                .map(engine -> new Launch<>(
                        spec(plan, engine, options),
                        engine.bundleIndex(),
                        engine.node().ip(),
                        engine.resources()))
                .toList();
    }

    private static ServerSpec spec(FleetPlan plan, EnginePlan engine, GroupOptions options) {
        return new ServerSpec(
                engine.groupName(),
                engine.rank(),
                plan.engines().size(),
                engine.serverType(),
                engine.serverArgs(),
                engine.environment(),
                engine.pythonInterpreter(),
                engine.placement().acceleratorType().visibleDevicesVariable(),
                engine.placement().visibleAccelerators(),
                engine.placement().isolateAccelerator(),
                options.serverHealthTimeout().toMillis() / 1000.0,
                options.logDirectory(),
                options.supervision(),
                plan.router().map(RouterPlan::groupName).orElse(null));
    }

    static Optional<Launch<RouterSpec>> router(FleetPlan plan, GroupOptions options) {
        return plan.router()
                .map(router -> new Launch<>(
                        spec(router, options),
                        router.bundleIndex(),
                        router.node().ip(),
                        router.resources()));
    }

    private static RouterSpec spec(RouterPlan router, GroupOptions options) {
        return new RouterSpec(
                router.groupName(),
                router.routerArgs(),
                router.environment(),
                router.pythonInterpreter(),
                options.routerStartTimeout().toMillis() / 1000.0,
                options.logDirectory(),
                options.supervision());
    }
}
