/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.show;

import dev.sglangray.placement.TextTable;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.plan.EnginePart;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Draws the nodes with a cell for each accelerator: the rank of the engine that sits there, several where they share it, a
 * dot where none does.
 */
final class PlanDrawing {
    private static final String FREE = ".";

    private PlanDrawing() {}

    static List<String> lines(FleetPlan plan, Cluster cluster, int most) {
        Map<Integer, List<EnginePart>> engines = new HashMap<>();
        for (EnginePlan engine : plan.engines()) {
            for (EnginePart part : engine.parts()) {
                engines.computeIfAbsent(part.node().rank(), rank -> new ArrayList<>())
                        .add(part);
            }
        }
        int router = plan.router().map(it -> it.node().rank()).orElse(-1);
        TextTable table = new TextTable().row("NODE", "ENGINES (one cell per accelerator, . is free)");
        for (NodeInfo node : cluster.nodes()) {
            table.row(
                    String.valueOf(node.rank()),
                    node(cluster, node, engines.getOrDefault(node.rank(), List.of()), router == node.rank()));
        }
        return table.lines(most, "nodes");
    }

    private static String node(Cluster cluster, NodeInfo node, List<EnginePart> engines, boolean router) {
        List<String> parts = new ArrayList<>();
        if (router) {
            parts.add("router");
        }
        if (node.accelerators() > 0) {
            parts.add(cells(cluster, node, engines));
        }
        // Engines on plain nodes or on other hardware sit in no accelerator's cell.
        engines.stream()
                .filter(engine -> !cluster.onAccelerators(engine.placement()))
                .map(engine -> "#" + engine.placement().rank())
                .forEach(parts::add);
        return parts.isEmpty() ? "-" : String.join(" ", parts);
    }

    private static String cells(Cluster cluster, NodeInfo node, List<EnginePart> engines) {
        String[] names = new String[node.accelerators()];
        for (EnginePart engine : engines) {
            if (cluster.onAccelerators(engine.placement())) {
                for (int accelerator : engine.placement().localHardwareRanks()) {
                    String rank = String.valueOf(engine.placement().rank());
                    names[accelerator] = names[accelerator] == null ? rank : names[accelerator] + "+" + rank;
                }
            }
        }
        StringBuilder cells = new StringBuilder("[");
        for (int i = 0; i < names.length; i++) {
            String name = names[i] == null ? FREE : names[i];
            String before = i == 0 ? "" : names[i - 1] == null ? FREE : names[i - 1];
            cells.append(i == 0 ? "" : before.equals(name) ? " " : "|").append(name);
        }
        return cells.append(']').toString();
    }
}
