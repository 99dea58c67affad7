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

/**
 * Ranks engines by the bundles of an existing group: engine <i>i</i> goes into the bundle that a trainer named for it. The
 * placement says how many engines a node has, the trainer's list which of them is which. Stateless.
 */
final class BundleOrder {
    private BundleOrder() {}

    /**
     * The same placements, ranked so that process <i>i</i> lies on the node of the i-th bundle of the list. Of a node's
     * processes the first stays the first.
     *
     * @throws PlacementException when the list does not fit the group or the placement
     */
    static List<Placement> rank(List<Placement> placements, List<Integer> order, ExistingGroup group, Cluster cluster) {
        if (order.size() != placements.size()) {
            throw PlacementException.of("placement_group.bundles names %d bundles for %d engines: each engine needs one"
                    .formatted(order.size(), placements.size()));
        }
        Map<String, Deque<Placement>> byNode = new HashMap<>();
        for (Placement placement : placements) {
            byNode.computeIfAbsent(nodeId(placement, cluster), id -> new ArrayDeque<>())
                    .add(placement);
        }
        List<Placement> ranked = new ArrayList<>();
        for (int index : order) {
            if (index >= group.bundles().size()) {
                throw PlacementException.of(
                        "placement_group.bundles names bundle %d, and placement group \"%s\" has bundles 0 to %d"
                                .formatted(index, group.name(), group.bundles().size() - 1));
            }
            String nodeId = group.bundles().get(index).nodeId();
            Placement next = byNode.getOrDefault(nodeId, new ArrayDeque<>()).poll();
            if (next == null) {
                throw PlacementException.builder(
                                "engine %d is to go into bundle %d of placement group \"%s\", which is on %s, and the component's"
                                                .formatted(ranked.size(), index, group.name(), address(nodeId, cluster))
                                        + " placement has no further engine there")
                        .fix("Place as many engines on each node as placement_group.bundles names bundles of it.")
                        .build();
            }
            ranked.add(next.atRank(ranked.size()));
        }
        return List.copyOf(ranked);
    }

    /**
     * Checks that engines went where the list says.
     *
     * @throws PlacementException when a bundle has not enough for its engine
     */
    public static void require(List<EnginePlan> engines, List<Integer> order, ExistingGroup group) {
        for (EnginePlan engine : engines) {
            int wanted = order.get(engine.rank());
            if (engine.bundleIndex() != wanted) {
                throw PlacementException.builder(
                                "engine %d needs %s, which bundle %d of placement group \"%s\" has not for it; it holds %s"
                                        .formatted(
                                                engine.rank(),
                                                ResourceText.of(engine.resources()),
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
