/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.TextTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Checks what a strict strategy promises: Ray would wait without end for a group whose pins break the promise. */
final class StrategyCheck {
    private StrategyCheck() {}

    static void check(FleetPlan plan) {
        if (!(plan.group() instanceof GroupPlan.Own own)) {
            return;
        }
        Map<String, List<String>> byNode = byNode(plan);
        if (own.strategy() == GroupStrategy.STRICT_PACK && byNode.size() > 1) {
            throw refusal(
                    plan, "STRICT_PACK wants all on one node, but they are on " + byNode.size() + " nodes", byNode);
        }
        if (own.strategy() == GroupStrategy.STRICT_SPREAD) {
            byNode.values().removeIf(actors -> actors.size() < 2);
            if (!byNode.isEmpty()) {
                throw refusal(plan, "STRICT_SPREAD wants each on a node of its own, but some share one", byNode);
            }
        }
    }

    private static Map<String, List<String>> byNode(FleetPlan plan) {
        Map<Integer, String> actors = new HashMap<>(plan.engineActors());
        plan.router().ifPresent(router -> actors.put(router.bundleIndex(), router.actorName()));
        Map<String, List<String>> byNode = new TreeMap<>();
        for (BundlePlan bundle : plan.bundles()) {
            byNode.computeIfAbsent(bundle.nodeIp(), ip -> new ArrayList<>())
                    .add(actors.getOrDefault(bundle.index(), "bundle " + bundle.index()));
        }
        return byNode;
    }

    private static PlacementException refusal(FleetPlan plan, String message, Map<String, List<String>> byNode) {
        TextTable table = new TextTable();
        byNode.forEach((ip, actors) -> table.row(
                ip,
                String.join(", ", actors.subList(0, Math.min(8, actors.size()))) + (actors.size() > 8 ? ", ..." : "")));
        return PlacementException.builder(message)
                .component(plan.fleetName())
                .available("Where they are", table.lines(20, "nodes"))
                .fix("Change the placement or the router's node, or use PACK or SPREAD.")
                .build();
    }
}
