/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.placement.PlacementException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Gives the nodes of a cluster their ranks, by RLinf's rules.
 *
 * <p>Either every node was started with a rank; then those ranks are used, and they must be unique and
 * run from 0. Or none was; then the driver's node comes first, the others follow by the kind of their
 * accelerators (in the order in which the kinds appear) and by address as text. A cluster of a single
 * node has rank 0 in any case.
 */
final class NodeRanks {
    private NodeRanks() {}

    /** A node and its rank; null while it has none. */
    record Ranked(NodeSnapshot node, @Nullable Integer rank) {}

    /** The ranks that the nodes were started with, in the order given. */
    static List<Ranked> given(ClusterSnapshot snapshot) {
        boolean single = snapshot.nodes().size() == 1;
        return snapshot.nodes().stream()
                .map(node -> new Ranked(node, single ? Integer.valueOf(0) : unsetIfMinusOne(node.envNodeRank())))
                .toList();
    }

    private static @Nullable Integer unsetIfMinusOne(@Nullable Integer rank) {
        return rank != null && rank == -1 ? null : rank;
    }

    /**
     * Orders the nodes and ranks them; the node at index i has rank i.
     *
     * @param numNodes the nodes that the configuration asks for; more are cut off
     * @param warnings gets a line when nodes are cut off
     * @throws PlacementException when ranks are given to some only, repeat, leave gaps or are out of range, or nodes are missing
     */
    static List<NodeSnapshot> assign(ClusterSnapshot snapshot, int numNodes, List<String> warnings) {
        requireEnough(snapshot, numNodes);
        List<Ranked> nodes = given(snapshot);
        long ranked = nodes.stream().filter(node -> node.rank() != null).count();
        if (ranked != 0 && ranked != nodes.size()) {
            throw refusal(
                    snapshot,
                    "either all nodes are started with a node rank or none is, but only %d of %d are"
                            .formatted(ranked, nodes.size()));
        }
        List<NodeSnapshot> ordered = ranked == 0 ? byKindAndAddress(snapshot) : byGivenRank(snapshot, nodes, numNodes);
        if (ordered.size() > numNodes) {
            warnings.add("cluster.num_nodes is %d, but %d nodes have joined Ray: only the first %d are used"
                    .formatted(numNodes, ordered.size(), numNodes));
            ordered = ordered.subList(0, numNodes);
        }
        return List.copyOf(ordered);
    }

    /**
     * Checks the number of nodes.
     *
     * @throws PlacementException when there are fewer than the configuration asks for
     */
    static void requireEnough(ClusterSnapshot snapshot, int numNodes) {
        if (snapshot.nodes().size() < numNodes) {
            throw PlacementException.builder("cluster.num_nodes is %d, but the Ray cluster has %d living node%s"
                            .formatted(
                                    numNodes,
                                    snapshot.nodes().size(),
                                    snapshot.nodes().size() == 1 ? "" : "s"))
                    .component("cluster")
                    .available("Nodes", NodeTable.lines(snapshot))
                    .fix("Join more nodes (ray start --address=...), or lower cluster.num_nodes.")
                    .build();
        }
    }

    private static List<NodeSnapshot> byGivenRank(ClusterSnapshot snapshot, List<Ranked> nodes, int numNodes) {

        for (Ranked node : nodes) {
            int rank = node.rank() == null ? -1 : node.rank();
            if (rank < 0 || rank >= nodes.size()) {
                throw refusal(
                        snapshot,
                        "node %s was started with rank %d, but ranks of %d nodes run from 0 to %d"
                                .formatted(node.node().ip(), rank, nodes.size(), nodes.size() - 1));
            }
            if (nodes.size() > numNodes
                    && rank >= numNodes
                    && node.node().nodeId().equals(snapshot.headNodeId())) {
                throw refusal(
                        snapshot,
                        ("cluster.num_nodes is %d, but %d nodes have joined, and the driver's own node has rank %d,"
                                        + " which would be cut off")
                                .formatted(numNodes, nodes.size(), rank));
            }
        }
        List<NodeSnapshot> ordered = new ArrayList<>();
        List<Ranked> sorted = nodes.stream()
                .sorted(Comparator.comparing(node -> node.rank() == null ? -1 : node.rank()))
                .toList();
        for (int i = 0; i < Math.min(numNodes, sorted.size()); i++) {
            Integer rank = sorted.get(i).rank();
            if (rank == null || rank != i) {
                throw refusal(
                        snapshot,
                        "node ranks must be unique and run from 0 without a gap; rank %d is %s"
                                .formatted(
                                        i,
                                        rank != null && rank < i
                                                ? "missing, as rank " + rank + " was given twice"
                                                : "missing"));
            }
        }
        sorted.forEach(node -> ordered.add(node.node()));
        return ordered;
    }

    private static List<NodeSnapshot> byKindAndAddress(ClusterSnapshot snapshot) {
        Map<AcceleratorType, List<NodeSnapshot>> byKind = new LinkedHashMap<>();
        for (NodeSnapshot node : snapshot.nodes()) {
            AcceleratorType kind = node.accelerators() == 0 ? AcceleratorType.NO_ACCEL : node.acceleratorType();
            byKind.computeIfAbsent(kind, key -> new ArrayList<>()).add(node);
        }
        List<NodeSnapshot> ordered = new ArrayList<>();
        List<NodeSnapshot> head = new ArrayList<>();
        for (List<NodeSnapshot> nodes : byKind.values()) {
            nodes.sort(Comparator.comparing(NodeSnapshot::ip));
            for (NodeSnapshot node : nodes) {
                (node.nodeId().equals(snapshot.headNodeId()) && head.isEmpty() ? head : ordered).add(node);
            }
        }
        if (head.isEmpty()) {
            throw refusal(
                    snapshot, "the driver's node %s is not among the living nodes".formatted(snapshot.headNodeId()));
        }
        ordered.add(0, head.get(0));
        return ordered;
    }

    static PlacementException refusal(ClusterSnapshot snapshot, String message) {
        return PlacementException.builder(message)
                .component("cluster")
                .available("Nodes", NodeTable.lines(snapshot))
                .build();
    }
}
