/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.config.launcher.BindHost;
import dev.sglangray.placement.plan.EnginePart;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.RouterPlan;
import dev.sglangray.workers.process.PartSpec;
import dev.sglangray.workers.process.RouterSpec;
import dev.sglangray.workers.process.ServerSpec;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Turns a fleet's plan into the actors to create. */
final class ActorLaunches {
    private static final Set<String> NOT_CONFIGURED = Set.of("host", "port", "dist_init_addr", "nnodes", "node_rank");

    private ActorLaunches() {}

    static List<ActorLaunch<ServerSpec>> servers(FleetPlan plan, GroupOptions options) {
        return servers(
                plan.engines(),
                plan.engines().size(),
                plan.router().map(RouterPlan::groupName).orElse(null),
                options);
    }

    /**
     * Some engines of a group.
     *
     * @param groupSize how many the group has
     * @param routerGroup the group of the fleet's router, or null
     */
    static List<ActorLaunch<ServerSpec>> servers(
            List<EnginePlan> engines, int groupSize, @Nullable String routerGroup, GroupOptions options) {
        return engines.stream()
                .map(engine -> new ActorLaunch<>(
                        spec(engine, groupSize, routerGroup, options),
                        engine.bundleIndex(),
                        engine.node().ip(),
                        engine.resources(),
                        engine.parts().stream()
                                .skip(1)
                                .map(part -> new ActorLaunch.Bundle(part.bundleIndex(), part.resources()))
                                .toList()))
                .toList();
    }

    private static ServerSpec spec(
            EnginePlan engine, int groupSize, @Nullable String routerGroup, GroupOptions options) {
        return new ServerSpec(
                engine.groupName(),
                engine.rank(),
                groupSize,
                engine.pool(),
                engine.serverType(),
                serverArgs(engine, options),
                engine.environment(),
                engine.pythonInterpreter(),
                engine.placement().acceleratorType().visibleDevicesVariable(),
                engine.placement().visibleAccelerators(),
                options.serverHealthTimeout().toMillis() / 1000.0,
                options.logDirectory(),
                options.pool(engine.pool()).supervision(),
                routerGroup,
                options.advertiseHost(),
                options.pool(engine.pool()).updateWeights(),
                0,
                engine.parts().stream().skip(1).map(part -> part(part, options)).toList());
    }

    private static PartSpec part(EnginePart part, GroupOptions options) {
        return new PartSpec(
                part.node().ip(),
                part.environment(),
                part.pythonInterpreter(),
                part.placement().acceleratorType().visibleDevicesVariable(),
                part.placement().visibleAccelerators(),
                options.bindHost() == BindHost.NODE ? part.node().ip() : null);
    }

    /** As RLinf's launcher does, where the engine listens is not taken from its arguments. */
    private static Map<String, Object> serverArgs(EnginePlan engine, GroupOptions options) {
        Map<String, Object> arguments = new LinkedHashMap<>(engine.serverArgs());
        arguments.keySet().removeAll(NOT_CONFIGURED);
        if (options.bindHost() == BindHost.NODE) {
            arguments.put("host", engine.node().ip());
        }
        return arguments;
    }

    private static Map<String, Object> routerArgs(RouterPlan router, GroupOptions options) {
        Map<String, Object> arguments = new LinkedHashMap<>(router.routerArgs());
        if (options.bindHost() == BindHost.NODE && arguments.get("host") == null) {
            arguments.put("host", router.node().ip());
        }
        return arguments;
    }

    static Optional<ActorLaunch<RouterSpec>> router(FleetPlan plan, GroupOptions options) {
        return plan.router()
                .map(router -> new ActorLaunch<>(
                        spec(router, options),
                        router.bundleIndex(),
                        router.node().ip(),
                        router.resources(),
                        List.of()));
    }

    private static RouterSpec spec(RouterPlan router, GroupOptions options) {
        return new RouterSpec(
                router.groupName(),
                router.routerType(),
                routerArgs(router, options),
                router.environment(),
                router.pythonInterpreter(),
                RouterSpec.DEFAULT_START_TIMEOUT.toMillis() / 1000.0,
                options.logDirectory(),
                options.supervision(),
                options.externalServers());
    }
}
