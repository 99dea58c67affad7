/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.EnginePlan;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.RouterPlan;

/** Names a Python for the engines and the router whose node group names none. */
final class InterpreterDefault {
    private InterpreterDefault() {}

    static FleetPlan apply(FleetPlan plan, String python) {
        return new FleetPlan(
                plan.fleetName(),
                plan.engines().stream().map(engine -> apply(engine, python)).toList(),
                plan.router().map(router -> apply(router, python)).orElse(null),
                plan.bundles(),
                plan.warnings());
    }

    private static EnginePlan apply(EnginePlan engine, String python) {
        return engine.pythonInterpreter() != null
                ? engine
                : new EnginePlan(
                        engine.rank(),
                        engine.groupName(),
                        engine.node(),
                        engine.placement(),
                        engine.bundleIndex(),
                        engine.serverType(),
                        engine.serverArgs(),
                        engine.environment(),
                        python);
    }

    private static RouterPlan apply(RouterPlan router, String python) {
        return router.pythonInterpreter() != null
                ? router
                : new RouterPlan(
                        router.groupName(),
                        router.node(),
                        router.bundleIndex(),
                        router.routerArgs(),
                        router.environment(),
                        python);
    }
}
