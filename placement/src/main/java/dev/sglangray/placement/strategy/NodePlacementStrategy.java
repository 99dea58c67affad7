/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.NodeTable;
import dev.sglangray.placement.rank.RankExpression;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Places processes on nodes without giving them hardware, as in RLinf: one process per node rank named,
 * sorted; a node may be named several times.
 */
public final class NodePlacementStrategy implements PlacementStrategy {
    private final List<Integer> nodeRanks;
    private final List<String> nodeGroupLabels;

    /**
     * Describes the processes.
     *
     * @param nodeRanks the node of each process, counted in the node groups
     * @param nodeGroupLabels the node groups, in the order in which their nodes are counted; empty for the whole cluster
     * @throws PlacementException when no rank is named
     */
    public NodePlacementStrategy(List<Integer> nodeRanks, List<String> nodeGroupLabels) {
        List<Integer> sorted = new ArrayList<>(nodeRanks);
        Collections.sort(sorted);
        this.nodeRanks = Collections.unmodifiableList(sorted);
        this.nodeGroupLabels = List.copyOf(nodeGroupLabels);
        if (sorted.isEmpty()) {
            throw PlacementException.builder("no node rank is named for any process")
                    .component("node placement")
                    .build();
        }
    }

    @Override
    public List<List<PlacementDraft>> drafts(Cluster cluster, boolean isolateAccelerator, OptionalInt spanned) {
        List<NodeGroupInfo> groups = cluster.requireNodeGroups(nodeGroupLabels, "node placement");
        List<NodeInfo> nodes = new ArrayList<>();
        List<String> labels = new ArrayList<>();
        Map<Integer, String> seen = new HashMap<>();
        for (NodeGroupInfo group : groups) {
            for (NodeInfo node : group.nodes()) {
                String other = seen.put(node.rank(), group.label());
                if (other != null) {
                    throw PlacementException.builder(
                                    "node groups \"%s\" and \"%s\" both have node rank %d; they must not share nodes here"
                                            .formatted(other, group.label(), node.rank()))
                            .component("node placement")
                            .build();
                }
                nodes.add(node);
                labels.add(group.label());
            }
        }
        List<PlacementDraft> drafts = new ArrayList<>(nodeRanks.size());
        int previousNode = -1;
        for (int rank : nodeRanks) {
            if (rank < 0 || rank >= nodes.size()) {
                throw PlacementException.builder("asks for node rank %d of node group %s, which has ranks 0 to %d"
                                .formatted(
                                        rank,
                                        String.join(
                                                ", ",
                                                groups.stream()
                                                        .map(NodeGroupInfo::label)
                                                        .toList()),
                                        nodes.size() - 1))
                        .component("node placement")
                        .rank(drafts.size())
                        .available("Nodes", NodeTable.lines(cluster))
                        .build();
            }
            NodeInfo node = nodes.get(rank);
            if (node.rank() < previousNode) {
                throw PlacementException.builder(
                                ("lands on node rank %d after a process on node rank %d: list the node groups so that node"
                                                + " ranks ascend")
                                        .formatted(node.rank(), previousNode))
                        .component("node placement")
                        .rank(drafts.size())
                        .build();
            }
            previousNode = node.rank();
            drafts.add(new PlacementDraft(node, List.of(), false, labels.get(rank)));
        }
        return together(drafts, Math.max(1, spanned.orElse(1)));
    }

    /** One process on each run of so many nodes. */
    private static List<List<PlacementDraft>> together(List<PlacementDraft> drafts, int nodes) {
        List<List<PlacementDraft>> processes = new ArrayList<>();
        for (int first = 0; first < drafts.size(); first += nodes) {
            List<PlacementDraft> parts = drafts.subList(first, Math.min(first + nodes, drafts.size()));
            long distinct = parts.stream().map(PlacementDraft::node).distinct().count();
            if (distinct < nodes) {
                throw PlacementException.builder("is to span %d nodes (nnodes: %d), but is given %d: ranks %s"
                                .formatted(
                                        nodes,
                                        nodes,
                                        distinct,
                                        RankExpression.describe(parts.stream()
                                                .map(part -> part.node().rank())
                                                .distinct()
                                                .toList())))
                        .component("node placement")
                        .rank(processes.size())
                        .build();
            }
            processes.add(List.copyOf(parts));
        }
        return processes;
    }

    /** The node rank of each process, sorted. */
    public List<Integer> nodeRanks() {
        return nodeRanks;
    }
}
