/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.sglangray.config.error.Secrets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Shows a plan: as text for people, as JSON for programs. Values of secret-looking keys are hidden in both.
 *
 * <p>Stateless; safe for use by several threads.
 */
public final class PlanRenderer {
    private static final int MOST_ROWS = 200;
    private static final String HIDDEN = "<hidden>";
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private PlanRenderer() {}

    /** Tables of nodes, with who sits where, and of actors; lines end with {@code \n}. */
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
        plan.warnings().forEach(warning -> lines.add("warning: " + warning));
        lines.add("");
        lines.addAll(nodes(plan, cluster));
        if (!plan.bundles().isEmpty()) {
            lines.add("");
            lines.addAll(actors(plan));
        }
        return String.join("\n", lines) + "\n";
    }

    private static List<String> nodes(FleetPlan plan, Cluster cluster) {
        Map<Integer, StringBuilder> seats = new HashMap<>();
        plan.router().ifPresent(router -> seat(seats, router.node()).append(" router"));
        for (EnginePlan engine : plan.engines()) {
            seat(seats, engine.node())
                    .append(" #")
                    .append(engine.rank())
                    .append(
                            engine.accelerators() == 0
                                    ? ""
                                    : "["
                                            + RankExpression.describe(
                                                    engine.placement().localHardwareRanks()) + "]");
        }
        TextTable table = new TextTable().row("NODE", "ADDRESS", "ACCELERATORS", "GROUPS", "RUNS");
        for (NodeInfo node : cluster.nodes()) {
            String groups = String.join(",", node.labels());
            table.row(
                    String.valueOf(node.rank()),
                    node.ip(),
                    NodeTable.accelerators(node.snapshot()),
                    groups.isEmpty() ? "-" : groups,
                    seats.containsKey(node.rank())
                            ? seat(seats, node).toString().strip()
                            : "-");
        }
        return table.lines(MOST_ROWS, "nodes");
    }

    private static StringBuilder seat(Map<Integer, StringBuilder> seats, NodeInfo node) {
        return seats.computeIfAbsent(node.rank(), rank -> new StringBuilder());
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
                        reserves(plan, router.bundleIndex())));
        for (EnginePlan engine : plan.engines()) {
            table.row(
                    engine.actorName(),
                    engine.serverType(),
                    String.valueOf(engine.node().rank()),
                    engine.placement().nodeGroupLabel(),
                    String.valueOf(engine.bundleIndex()),
                    reserves(plan, engine.bundleIndex()));
        }
        return table.lines(MOST_ROWS, "actors");
    }

    private static String reserves(FleetPlan plan, int bundle) {
        List<String> parts = new ArrayList<>();
        plan.bundles().get(bundle).resources().forEach((name, amount) -> {
            if (!name.startsWith("node:")) {
                parts.add(name + " " + (amount == Math.rint(amount) ? String.valueOf(amount.longValue()) : amount));
            }
        });
        return parts.isEmpty() ? "-" : String.join(", ", parts);
    }

    /** One JSON object: fleet, warnings, nodes, engines, router (null when there is none), bundles. */
    public static String json(FleetPlan plan, Cluster cluster) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("fleet", plan.fleetName());
        json.put("warnings", plan.warnings());
        json.put("nodes", cluster.nodes().stream().map(PlanRenderer::node).toList());
        json.put("engines", plan.engines().stream().map(PlanRenderer::engine).toList());
        json.put("router", plan.router().map(PlanRenderer::router).orElse(null));
        json.put(
                "bundles",
                plan.bundles().stream()
                        .map(bundle -> ordered(
                                "index", bundle.index(), "node_ip", bundle.nodeIp(), "resources", bundle.resources()))
                        .toList());
        try {
            return JSON.writeValueAsString(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a plan could not be written as JSON", e);
        }
    }

    private static Map<String, @Nullable Object> node(NodeInfo node) {
        return ordered(
                "rank", node.rank(),
                "node_id", node.snapshot().nodeId(),
                "ip", node.ip(),
                "hostname", node.snapshot().hostname(),
                "groups", node.labels(),
                "accelerators", node.accelerators(),
                "accelerator_type", node.acceleratorType().name(),
                "accelerator_model", node.acceleratorModel());
    }

    private static Map<String, @Nullable Object> engine(EnginePlan engine) {
        Placement placement = engine.placement();
        return ordered(
                "rank", engine.rank(),
                "actor", engine.actorName(),
                "group", engine.groupName(),
                "server_type", engine.serverType(),
                "node_rank", engine.node().rank(),
                "node_ip", engine.node().ip(),
                "bundle", engine.bundleIndex(),
                "node_group", placement.nodeGroupLabel(),
                "local_rank", placement.localRank(),
                "local_world_size", placement.localWorldSize(),
                "accelerators", placement.localHardwareRanks(),
                "server_args", masked(engine.serverArgs()),
                "environment", masked(engine.environment()),
                "python", engine.pythonInterpreter());
    }

    private static Map<String, @Nullable Object> router(RouterPlan router) {
        return ordered(
                "actor", router.actorName(),
                "group", router.groupName(),
                "node_rank", router.node().rank(),
                "node_ip", router.node().ip(),
                "bundle", router.bundleIndex(),
                "router_args", masked(router.routerArgs()),
                "environment", masked(router.environment()),
                "python", router.pythonInterpreter());
    }

    private static Map<String, @Nullable Object> masked(Map<?, ? extends @Nullable Object> values) {
        Map<String, @Nullable Object> masked = new LinkedHashMap<>();
        values.forEach((key, value) -> masked.put(String.valueOf(key), masked(String.valueOf(key), value)));
        return masked;
    }

    private static @Nullable Object masked(String key, @Nullable Object value) {
        boolean harmless = value == null || value instanceof Number || value instanceof Boolean;
        if (!harmless && Secrets.isSecret(key)) {
            return HIDDEN;
        }
        if (value instanceof Map<?, ?> map) {
            return masked(map);
        }
        return value instanceof List<?> list
                ? list.stream().map(item -> masked(key, item)).toList()
                : value;
    }

    private static Map<String, @Nullable Object> ordered(@Nullable Object... namesAndValues) {
        Map<String, @Nullable Object> map = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            map.put(String.valueOf(namesAndValues[i]), namesAndValues[i + 1]);
        }
        return map;
    }
}
