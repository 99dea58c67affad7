/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.show;

import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.TextTable;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.NodeTable;
import dev.sglangray.placement.plan.EnginePart;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.GroupPlan;
import dev.sglangray.placement.plan.GroupStrategy;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.ArrayList;
import java.util.List;

/**
 * Shows a plan: as text for people, as JSON for programs. Values of secret-looking keys are hidden in both.
 *
 * <p>Stateless; safe for use by several threads.
 */
public final class PlanRenderer {
    private static final int MOST_ROWS = 200;

    private PlanRenderer() {}

    /** Tables of nodes and of actors, and between them a drawing of who sits where; lines end with {@code \n}. */
    public static String text(FleetPlan plan, Cluster cluster) {
        List<String> lines = new ArrayList<>();
        lines.add("fleet %s: %d engine%s, %s"
                .formatted(
                        plan.fleetName(),
                        plan.engines().size(),
                        plan.engines().size() == 1 ? "" : "s",
                        plan.router()
                                .map(router ->
                                        "a router on node " + router.node().rank())
                                .orElse("no router")));
        if (plan.group() instanceof GroupPlan.Existing existing) {
            lines.add("placement group: \"%s\"%s, made by another program"
                    .formatted(
                            existing.name(),
                            existing.namespace()
                                    .map(name -> " of namespace \"" + name + "\"")
                                    .orElse("")));
        } else if (plan.group() instanceof GroupPlan.Own own && own.strategy() != GroupStrategy.PACK) {
            lines.add("placement group: strategy " + own.strategy());
        }
        plan.warnings().forEach(warning -> lines.add("warning: " + warning));
        lines.add("");
        lines.addAll(nodes(cluster));
        if (!plan.bundles().isEmpty()) {
            lines.add("");
            lines.addAll(PlanDrawing.lines(plan, cluster, MOST_ROWS));
            lines.add("");
            lines.addAll(actors(plan));
        }
        return String.join("\n", lines) + "\n";
    }

    private static List<String> nodes(Cluster cluster) {
        TextTable table = new TextTable().row("NODE", "ADDRESS", "ACCELERATORS", "GROUPS");
        for (NodeInfo node : cluster.nodes()) {
            String groups = String.join(",", node.labels());
            table.row(
                    String.valueOf(node.rank()),
                    node.ip(),
                    NodeTable.accelerators(node.snapshot()),
                    groups.isEmpty() ? "-" : groups);
        }
        return table.lines(MOST_ROWS, "nodes");
    }

    private static List<String> actors(FleetPlan plan) {
        TextTable table = new TextTable().row("ACTOR", "KIND", "NODE", "GROUP", "BUNDLE", "RESERVES");
        plan.router()
                .ifPresent(router -> table.row(
                        router.actorName(),
                        "router",
                        String.valueOf(router.node().rank()),
                        NodeGroupInfo.CLUSTER,
                        String.valueOf(router.bundleIndex()),
                        ResourceText.of(router.resources())));
        for (EnginePlan engine : plan.engines()) {
            for (int number = 0; number < engine.parts().size(); number++) {
                EnginePart part = engine.parts().get(number);
                table.row(
                        engine.actorName(number),
                        number == 0 ? kind(engine) : "part of " + engine.actorName(),
                        String.valueOf(part.node().rank()),
                        part.placement().nodeGroupLabel(),
                        String.valueOf(part.bundleIndex()),
                        ResourceText.of(part.resources()));
            }
        }
        return table.lines(MOST_ROWS, "actors");
    }

    private static String kind(EnginePlan engine) {
        return engine.serverType() + (engine.pool().isEmpty() ? "" : ", pool " + engine.pool());
    }

    /** One JSON object: fleet, placement_group, warnings, nodes, engines, router (null when there is none), bundles. */
    public static String json(FleetPlan plan, Cluster cluster) {
        StringWriter text = new StringWriter();
        try {
            json(plan, cluster, text);
        } catch (IOException e) {
            throw new UncheckedIOException("a plan could not be written as JSON", e);
        }
        return text.toString();
    }

    /** As {@link #json(FleetPlan, Cluster)}, without ever holding all of the text; does not close the writer. */
    public static void json(FleetPlan plan, Cluster cluster, Writer out) throws IOException {
        PlanJson.write(plan, cluster, out);
    }
}
