/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.TextTable;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.plan.BundlePlan;
import dev.sglangray.placement.plan.FleetPlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Says why bundles are not reserved, which Ray itself never does: which bundle lacks what, what its node has, who holds the
 * rest of it, and where else there is room.
 *
 * @param table the bundles that lack something, with a heading; empty when nothing is known to lack
 * @param holders who holds resources of the nodes concerned
 * @param elsewhere other nodes with room for accelerators that lack
 * @param summary the same in one line
 * @param hopeless whether waiting is in vain as things are: a node is gone, or has too little even when no other program uses it
 */
record BundleDiagnosis(
        List<String> table, List<String> holders, List<String> elsewhere, String summary, boolean hopeless) {
    private static final int MOST_ROWS = 20;

    private static final String NOTHING_KNOWN =
            "as far as is known the nodes have enough free, so tasks, or actors that are about to start, hold some of it";

    /**
     * Finds out.
     *
     * @param ownGroup Ray's id of the group that waits
     */
    static BundleDiagnosis of(FleetPlan plan, ClusterSnapshot cluster, LedgerSnapshot ledger, String ownGroup) {
        Map<String, NodeUsage> nodes = new LinkedHashMap<>();
        cluster.nodes().forEach(node -> nodes.put(node.ip(), new NodeUsage(node, ledger, ownGroup)));
        Map<Integer, String> actors = actors(plan);
        TextTable table = new TextTable().row("BUNDLE", "FOR", "NEEDS", "ON NODE", "WHICH HAS", "FREE", "LACKS");
        Set<String> shortNodes = new LinkedHashSet<>();
        Set<String> lackedResources = new LinkedHashSet<>();
        List<String> lines = new ArrayList<>();
        boolean hopeless = false;
        for (BundlePlan bundle : plan.bundles()) {
            String actor = actors.getOrDefault(bundle.index(), "-");
            NodeUsage node = nodes.get(bundle.nodeIp());
            if (node == null) {
                hopeless = true;
                table.row(
                        String.valueOf(bundle.index()),
                        actor,
                        ResourceText.of(bundle.resources()),
                        bundle.nodeIp(),
                        "-",
                        "-",
                        "the node, which is not alive");
                lines.add("node %s is not alive; bundle %d of %s is wanted there"
                        .formatted(bundle.nodeIp(), bundle.index(), actor));
                lackedResources.addAll(bundle.resources().keySet());
                continue;
            }
            Map<String, Double> before = freeOf(bundle, node);
            Map<String, Double> lacks = node.lacksElseTake(bundle.resources());
            hopeless |= node.wantsMoreThanAll(bundle.resources());
            if (!lacks.isEmpty()) {
                String total = ResourceText.of(totalOf(bundle, node));
                table.row(
                        String.valueOf(bundle.index()),
                        actor,
                        ResourceText.of(bundle.resources()),
                        bundle.nodeIp(),
                        total,
                        ResourceText.of(before),
                        ResourceText.of(lacks));
                lines.add("bundle %d of %s needs %s on node %s, which has %s in all and %s free for it"
                        .formatted(
                                bundle.index(),
                                actor,
                                ResourceText.of(bundle.resources()),
                                bundle.nodeIp(),
                                total,
                                ResourceText.of(before)));
                shortNodes.add(bundle.nodeIp());
                lackedResources.addAll(lacks.keySet());
            }
        }
        boolean known = !lines.isEmpty();
        return new BundleDiagnosis(
                known ? table.lines(MOST_ROWS + 1, "bundles") : List.of(),
                holders(known ? shortNodes : planned(plan), nodes, ledger, ownGroup),
                elsewhere(plan, nodes, lackedResources),
                known ? lines.get(0) : NOTHING_KNOWN,
                hopeless);
    }

    /** All of it as lines of text. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        if (table.isEmpty()) {
            lines.add(summary);
        }
        lines.addAll(table);
        if (!holders.isEmpty()) {
            lines.add("Who holds what there:");
            holders.forEach(line -> lines.add("  " + line));
        }
        if (!elsewhere.isEmpty()) {
            lines.add("Other nodes with room:");
            elsewhere.forEach(line -> lines.add("  " + line));
        }
        return lines;
    }

    private static Set<String> planned(FleetPlan plan) {
        Set<String> ips = new LinkedHashSet<>();
        plan.bundles().forEach(bundle -> ips.add(bundle.nodeIp()));
        return ips;
    }

    private static List<String> holders(
            Set<String> ips, Map<String, NodeUsage> nodes, LedgerSnapshot ledger, String ownGroup) {
        List<String> lines = new ArrayList<>();
        for (String ip : ips) {
            NodeUsage node = nodes.get(ip);
            if (node != null) {
                node.holders().forEach(line -> lines.add("node " + ip + ": " + line));
            }
        }
        for (LedgerSnapshot.Group group : ledger.groups()) {
            boolean somewhere =
                    group.bundles().stream().anyMatch(bundle -> !bundle.nodeId().isEmpty());
            if (!somewhere && !group.id().equals(ownGroup)) {
                lines.add("placement group \"%s\" (%s), on nodes unknown: %s"
                        .formatted(group.name(), group.state(), ResourceText.of(sum(group))));
            }
        }
        return limited(lines);
    }

    private static Map<String, Double> sum(LedgerSnapshot.Group group) {
        Map<String, Double> sums = new LinkedHashMap<>();
        group.bundles()
                .forEach(bundle -> bundle.resources().forEach((name, amount) -> sums.merge(name, amount, Double::sum)));
        return sums;
    }

    private static List<String> elsewhere(FleetPlan plan, Map<String, NodeUsage> nodes, Set<String> lacked) {
        Set<String> used = planned(plan);
        List<String> lines = new ArrayList<>();
        nodes.forEach((ip, node) -> {
            Map<String, Double> room = new LinkedHashMap<>();
            for (String resource : lacked) {
                if (!resource.startsWith("node:") && node.free(resource) > 0) {
                    room.put(resource, node.free(resource));
                }
            }
            if (!used.contains(ip) && !room.isEmpty()) {
                lines.add("node " + ip + " has " + ResourceText.of(room) + " free");
            }
        });
        return limited(lines);
    }

    private static List<String> limited(List<String> lines) {
        if (lines.size() <= MOST_ROWS) {
            return lines;
        }
        List<String> first = new ArrayList<>(lines.subList(0, MOST_ROWS));
        first.add("... and " + (lines.size() - MOST_ROWS) + " more");
        return first;
    }

    private static Map<String, Double> freeOf(BundlePlan bundle, NodeUsage node) {
        Map<String, Double> free = new LinkedHashMap<>();
        bundle.resources().keySet().forEach(name -> free.put(name, Math.max(0, node.free(name))));
        return free;
    }

    private static Map<String, Double> totalOf(BundlePlan bundle, NodeUsage node) {
        Map<String, Double> total = new LinkedHashMap<>();
        bundle.resources()
                .keySet()
                .forEach(name -> total.put(name, node.node().resources().getOrDefault(name, 0.0)));
        return total;
    }

    private static Map<Integer, String> actors(FleetPlan plan) {
        Map<Integer, String> actors = new HashMap<>(plan.engineActors());
        plan.router().ifPresent(router -> actors.put(router.bundleIndex(), router.actorName()));
        return actors;
    }
}
