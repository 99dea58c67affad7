/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.show;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.NodeTable;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.plan.BundlePlan;
import dev.sglangray.placement.plan.EnginePart;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.GroupPlan;
import dev.sglangray.placement.plan.RouterPlan;
import dev.sglangray.placement.rank.RankExpression;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Says of one process of a plan where it goes and why. Values of secret-looking keys are hidden.
 *
 * <p>Stateless; safe for use by several threads.
 */
public final class PlanExplainer {
    private static final String INDENT = "  ";

    private PlanExplainer() {}

    /**
     * Explains an engine.
     *
     * @return lines that end with {@code \n}
     * @throws PlacementException when the plan has no engine of this rank
     */
    public static String engine(FleetPlan plan, Cluster cluster, int rank) {
        EnginePlan engine = require(plan, rank);
        List<String> lines = new ArrayList<>();
        lines.add("engine %d of %d: actor %s, server type %s"
                .formatted(rank, plan.engines().size(), engine.actorName(), engine.serverType()));
        if (!engine.pool().isEmpty()) {
            lines.add(INDENT + "pool: " + engine.pool());
        }
        if (engine.spansNodes()) {
            lines.add(INDENT
                    + "it spans %d nodes: it needs %d accelerators, and each node has %d for it; part 0 serves"
                            .formatted(
                                    engine.parts().size(),
                                    engine.accelerators(),
                                    engine.placement().localHardwareRanks().size()));
        }
        addPart(lines, plan, cluster, engine.first());
        addMap(lines, "server_args", engine.serverArgs());
        addEnvironment(lines, cluster, engine.first());
        for (int number = 1; number < engine.parts().size(); number++) {
            EnginePart part = engine.parts().get(number);
            lines.add("part %d of engine %d: actor %s".formatted(number, rank, engine.actorName(number)));
            addPart(lines, plan, cluster, part);
            addEnvironment(lines, cluster, part);
        }
        return String.join("\n", lines) + "\n";
    }

    private static void addPart(List<String> lines, FleetPlan plan, Cluster cluster, EnginePart part) {
        Placement placement = part.placement();
        NodeGroupInfo group = group(cluster, part);
        lines.add(INDENT + "node: " + node(part.node()));
        lines.add(INDENT + "node group: " + group);
        lines.add(INDENT + "hardware: " + hardware(group, part));
        lines.add(INDENT
                + "on its node: process %d of %d, counted from 0"
                        .formatted(placement.localRank(), placement.localWorldSize()));
        lines.add(INDENT + "bundle: " + bundle(plan, part.bundleIndex(), part.resources()));
        lines.add(INDENT + "python: " + python(part.pythonInterpreter()));
    }

    private static NodeGroupInfo group(Cluster cluster, EnginePart part) {
        return cluster.nodeGroup(part.placement().nodeGroupLabel()).orElseThrow();
    }

    private static void addEnvironment(List<String> lines, Cluster cluster, EnginePart part) {
        addEnvironment(
                lines,
                part.environment(),
                group(cluster, part).environmentVariables(part.node().rank()));
    }

    /**
     * Explains the router.
     *
     * @return lines that end with {@code \n}
     * @throws PlacementException when the plan has no router
     */
    public static String router(FleetPlan plan, Cluster cluster) {
        RouterPlan router = plan.router().orElseThrow(() -> PlacementException.of("the plan has no router to explain"));
        List<String> lines = new ArrayList<>();
        String type = router.routerType();
        lines.add("router: actor " + router.actorName() + (type == null ? "" : " (" + type + ")"));
        lines.add(INDENT + "node: " + node(router.node()) + "; the router's node is chosen by rank");
        lines.add(INDENT + "hardware: none, and it sees none");
        lines.add(INDENT + "bundle: " + bundle(plan, router.bundleIndex(), router.resources()));
        lines.add(INDENT + "python: " + python(router.pythonInterpreter()));
        addMap(lines, "router_args", router.routerArgs());
        NodeGroupInfo group = cluster.nodeGroup(NodeGroupInfo.CLUSTER).orElseThrow();
        addEnvironment(
                lines,
                router.environment(),
                group.environmentVariables(router.node().rank()));
        return String.join("\n", lines) + "\n";
    }

    /** As {@link #engine}, as one JSON object: that of the engine in {@link PlanRenderer#json}. */
    public static String engineJson(FleetPlan plan, int rank) {
        return PlanJson.write(PlanJson.engine(require(plan, rank)));
    }

    /** As {@link #router}, as one JSON object: that of the router in {@link PlanRenderer#json}. */
    public static String routerJson(FleetPlan plan) {
        return PlanJson.write(PlanJson.router(
                plan.router().orElseThrow(() -> PlacementException.of("the plan has no router to explain"))));
    }

    private static EnginePlan require(FleetPlan plan, int rank) {
        if (rank < 0 || rank >= plan.engines().size()) {
            throw PlacementException.of(
                    plan.engines().isEmpty()
                            ? "the plan has no engines to explain"
                            : "there is no engine %d; ranks run from 0 to %d"
                                    .formatted(rank, plan.engines().size() - 1));
        }
        return plan.engines().get(rank);
    }

    private static String node(NodeInfo node) {
        return "rank %d, %s%s, %s; %s"
                .formatted(
                        node.rank(),
                        node.ip(),
                        node.snapshot().hostname().isEmpty()
                                ? ""
                                : " (" + node.snapshot().hostname() + ")",
                        NodeTable.accelerators(node.snapshot()),
                        node.snapshot().envNodeRank() == null
                                ? "ranked by kind of accelerators and address, the driver's node first"
                                : "it was started with its rank");
    }

    private static String hardware(NodeGroupInfo group, EnginePart part) {
        List<Integer> local = part.placement().localHardwareRanks();
        if (local.isEmpty() || group.hardwareType().isEmpty()) {
            return "none; ranks of this node group count nodes";
        }
        int nodeRank = part.node().rank();
        List<Integer> ranks =
                local.stream().map(piece -> group.hardwareRank(nodeRank, piece)).toList();
        return "%s %s of the node, rank%s %s of %s in node group \"%s\""
                .formatted(
                        group.hardwareType().get(),
                        RankExpression.describe(local),
                        ranks.size() == 1 ? "" : "s",
                        RankExpression.describe(ranks),
                        group.hardwareCount() == 0 ? "none" : "0 to " + (group.hardwareCount() - 1),
                        group.label());
    }

    private static String bundle(FleetPlan plan, int index, Map<String, Double> takes) {
        BundlePlan bundle = plan.bundles().get(index);
        String own = plan.group() instanceof GroupPlan.Own ? ", pinned to " + bundle.nodeIp() : ", made by others";
        return "%d of placement group \"%s\", holds %s%s; the actor takes %s"
                .formatted(
                        index, plan.group().name(), ResourceText.of(bundle.resources()), own, ResourceText.of(takes));
    }

    private static String python(@Nullable String interpreter) {
        return interpreter == null ? "the node's default" : interpreter;
    }

    private static void addMap(List<String> lines, String title, Map<String, ? extends @Nullable Object> values) {
        lines.add(INDENT + title + ":");
        PlanJson.masked(values).forEach((name, value) -> lines.add(INDENT + INDENT + name + ": " + value));
    }

    private static void addEnvironment(
            List<String> lines, Map<String, String> environment, Map<String, String> ofGroup) {
        Map<String, @Nullable Object> shown = new LinkedHashMap<>(PlanJson.masked(environment));
        lines.add(INDENT + "environment:");
        shown.forEach((name, value) -> {
            boolean fromGroup = Objects.equals(ofGroup.get(name), environment.get(name));
            lines.add(INDENT + INDENT + name + "=" + value + (fromGroup ? "  (node group)" : ""));
        });
    }
}
