/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * All of a fleet, before anything of it exists.
 *
 * @param fleetName the fleet's name
 * @param group the placement group that its actors live in
 * @param engines the engines by rank; empty when only a router is launched
 * @param routerPlan the router, or null when there is none; see {@link #router()}
 * @param bundles the bundles of the placement group, by index
 * @param warnings what a user should know; empty when there is nothing
 */
public record FleetPlan(
        String fleetName,
        GroupPlan group,
        List<EnginePlan> engines,
        @Nullable RouterPlan routerPlan,
        List<BundlePlan> bundles,
        List<String> warnings) {
    /** Copies the lists. */
    public FleetPlan {
        engines = List.copyOf(engines);
        bundles = List.copyOf(bundles);
        warnings = List.copyOf(warnings);
    }

    /** The router; empty when there is none. */
    public Optional<RouterPlan> router() {
        return Optional.ofNullable(routerPlan);
    }

    /** The names of the engines' actors, by bundle. */
    public Map<Integer, String> engineActors() {
        Map<Integer, String> actors = new HashMap<>();
        for (EnginePlan engine : engines) {
            for (int part = 0; part < engine.parts().size(); part++) {
                actors.put(engine.parts().get(part).bundleIndex(), engine.actorName(part));
            }
        }
        return actors;
    }

    /** The same plan with a Python for the engines and the router whose node group names none; null leaves the nodes' own. */
    public FleetPlan withDefaultPython(@Nullable String python) {
        if (python == null) {
            return this;
        }
        return new FleetPlan(
                fleetName,
                group,
                engines.stream().map(engine -> engine.withDefaultPython(python)).toList(),
                routerPlan == null ? null : routerPlan.withDefaultPython(python),
                bundles,
                warnings);
    }
}
