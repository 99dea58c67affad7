/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Ranks engines by the bundles of an existing group: engine <i>i</i> goes into the bundle that a trainer named for it. The
 * placement says how many engines a node has, the trainer's list which of them is which. Stateless.
 */
final class BundleOrder {
    private BundleOrder() {}

    /**
     * The same engines, ranked so that each lies on the nodes of its bundles of the list, which has one bundle for each part of an
     * engine, engine after engine. Of a node's engines the first stays the first.
     *
     * @throws PlacementException when the list does not fit the group or the placement
     */
    static List<List<Placement>> rank(
            List<List<Placement>> engines, List<Integer> order, ExistingGroup group, Cluster cluster) {
        int parts = engines.get(0).size();
        if (order.size() != engines.size() * parts) {
            throw PlacementException.of("placement_group.bundles names %d bundles for %d engines: each engine needs %s"
                    .formatted(
                            order.size(), engines.size(), parts == 1 ? "one" : parts + ", one for each of its nodes"));
        }
        Map<List<String>, Deque<List<Placement>>> byNodes = new HashMap<>();
        for (List<Placement> engine : engines) {
            byNodes.computeIfAbsent(
                            engine.stream().map(part -> nodeId(part, cluster)).toList(), id -> new ArrayDeque<>())
                    .add(engine);
        }
        List<List<Placement>> ranked = new ArrayList<>();
        for (int first = 0; first < order.size(); first += parts) {
            List<Integer> indexes = order.subList(first, first + parts);
            List<String> nodeIds =
                    indexes.stream().map(index -> nodeId(index, group)).toList();
            List<Placement> next =
                    byNodes.getOrDefault(nodeIds, new ArrayDeque<>()).poll();
            if (next == null) {
                throw PlacementException.builder(
                                "engine %d is to go into bundle %s of placement group \"%s\", which is on %s, and the component's"
                                                .formatted(
                                                        ranked.size(),
                                                        join(indexes.stream().map(String::valueOf)),
                                                        group.name(),
                                                        join(nodeIds.stream().map(id -> address(id, cluster))))
                                        + " placement has no further engine there")
                        .fix("Place as many engines on each node as placement_group.bundles names bundles of it.")
                        .build();
            }
            int rank = ranked.size();
            ranked.add(next.stream().map(part -> part.atRank(rank)).toList());
        }
        return List.copyOf(ranked);
    }

    private static String join(Stream<String> texts) {
        return texts.collect(Collectors.joining(" and "));
    }

    private static String nodeId(int index, ExistingGroup group) {
        if (index >= group.bundles().size()) {
            throw PlacementException.of(
                    "placement_group.bundles names bundle %d, and placement group \"%s\" has bundles 0 to %d"
                            .formatted(index, group.name(), group.bundles().size() - 1));
        }
        return group.bundles().get(index).nodeId();
    }

    /**
     * Checks that engines went where the list says.
     *
     * @throws PlacementException when a bundle has not enough for its engine
     */
    public static void require(List<EnginePlan> engines, List<Integer> order, ExistingGroup group) {
        int next = 0;
        for (EnginePlan engine : engines) {
            for (EnginePart part : engine.parts()) {
                int wanted = order.get(next++);
                if (part.bundleIndex() != wanted) {
                    throw PlacementException.builder(
                                    "engine %d needs %s, which bundle %d of placement group \"%s\" has not for it; it holds %s"
                                            .formatted(
                                                    engine.rank(),
                                                    ResourceText.of(part.resources()),
                                                    wanted,
                                                    group.name(),
                                                    ResourceText.of(group.bundles()
                                                            .get(wanted)
                                                            .resources())))
                            .fix("A part of an accelerator needs a bundle of one accelerator, or take a smaller share.")
                            .build();
                }
            }
        }
    }

    private static String nodeId(Placement placement, Cluster cluster) {
        return cluster.node(placement.clusterNodeRank()).snapshot().nodeId();
    }

    private static String address(String nodeId, Cluster cluster) {
        return cluster.nodes().stream()
                .filter(node -> node.snapshot().nodeId().equals(nodeId))
                .map(NodeInfo::ip)
                .findFirst()
                .orElse("a node that this fleet does not use");
    }
}
