/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.BundlePlan;
import dev.sglangray.placement.ClusterSnapshot;
import dev.sglangray.placement.EnginePlan;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.NodeSnapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Says why bundles are not reserved, as far as the nodes' totals tell: Ray itself gives no reason. */
final class BundleDiagnosis {
    private static final int MOST_LINES = 20;

    private BundleDiagnosis() {}

    /** One line for each node that cannot hold its bundles; empty when the totals would do. */
    static List<String> lacks(FleetPlan plan, ClusterSnapshot cluster) {
        Map<String, List<BundlePlan>> byNode = new LinkedHashMap<>();
        for (BundlePlan bundle : plan.bundles()) {
            byNode.computeIfAbsent(bundle.nodeIp(), ip -> new ArrayList<>()).add(bundle);
        }
        Map<String, NodeSnapshot> nodes = new HashMap<>();
        cluster.nodes().forEach(node -> nodes.put(node.ip(), node));
        List<String> lines = new ArrayList<>();
        byNode.forEach((ip, bundles) -> {
            NodeSnapshot node = nodes.get(ip);
            String who = describe(plan, bundles);
            if (node == null) {
                lines.add("node %s is not alive; wanted there: %s".formatted(ip, who));
                return;
            }
            sums(bundles).forEach((resource, wanted) -> {
                double total = node.resources().getOrDefault(resource, 0.0);
                if (wanted > total + 1e-9) {
                    lines.add("node %s has %s %s in all, but %s is wanted there: %s"
                            .formatted(ip, number(total), resource, number(wanted), who));
                }
            });
        });
        return lines.size() <= MOST_LINES
                ? lines
                : java.util.stream.Stream.concat(
                                lines.stream().limit(MOST_LINES),
                                java.util.stream.Stream.of("... and " + (lines.size() - MOST_LINES) + " more"))
                        .toList();
    }

    private static Map<String, Double> sums(List<BundlePlan> bundles) {
        Map<String, Double> sums = new LinkedHashMap<>();
        for (BundlePlan bundle : bundles) {
            bundle.resources().forEach((name, amount) -> sums.merge(name, amount, Double::sum));
        }
        return sums;
    }

    private static String describe(FleetPlan plan, List<BundlePlan> bundles) {
        return String.join(
                        ", ",
                        bundles.stream()
                                .limit(8)
                                .map(bundle -> describe(plan, bundle))
                                .toList())
                + (bundles.size() > 8 ? ", ..." : "");
    }

    private static String describe(FleetPlan plan, BundlePlan bundle) {
        Optional<String> actor = plan.engines().stream()
                .filter(engine -> engine.bundleIndex() == bundle.index())
                .map(EnginePlan::actorName)
                .findFirst()
                .or(() -> plan.router()
                        .filter(router -> router.bundleIndex() == bundle.index())
                        .map(router -> router.actorName()));
        Map<String, Double> shown = new LinkedHashMap<>(bundle.resources());
        shown.keySet().removeIf(name -> name.startsWith("node:"));
        return "bundle %d%s%s"
                .formatted(
                        bundle.index(),
                        actor.map(name -> " of " + name).orElse(""),
                        shown.isEmpty() ? "" : " " + shown);
    }

    private static String number(double value) {
        return value == Math.rint(value) ? String.valueOf((long) value) : String.valueOf(value);
    }
}
