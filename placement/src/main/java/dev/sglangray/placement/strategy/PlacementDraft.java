/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.rank.RankExpression;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** A process that has its node and hardware; {@link #complete} counts the rest, which needs all processes. */
public record PlacementDraft(
        NodeInfo node, List<Integer> localHardwareRanks, boolean seesOnlyItsOwn, String nodeGroupLabel) {

    /**
     * Numbers the processes on their nodes. Each run of parts on one node counts as that node.
     *
     * @param processes the parts of each process
     * @param isolate the group's wish, recorded in the placements
     */
    static List<List<Placement>> complete(List<List<PlacementDraft>> processes, boolean isolate) {
        List<PlacementDraft> drafts = new ArrayList<>();
        List<Integer> ranks = new ArrayList<>();
        for (int rank = 0; rank < processes.size(); rank++) {
            for (PlacementDraft part : processes.get(rank)) {
                drafts.add(part);
                ranks.add(rank);
            }
        }
        List<List<Placement>> placements = new ArrayList<>(processes.size());
        int nodeRank = 0;
        int start = 0;
        while (start < drafts.size()) {
            int node = drafts.get(start).node().rank();
            int end = start;
            while (end < drafts.size() && drafts.get(end).node().rank() == node) {
                end++;
            }
            for (int i = start; i < end; i++) {
                int rank = ranks.get(i);
                if (rank == placements.size()) {
                    placements.add(new ArrayList<>(processes.get(rank).size()));
                }
                placements.get(rank).add(drafts.get(i).toPlacement(rank, nodeRank, i - start, end - start, isolate));
            }
            nodeRank++;
            start = end;
        }
        return placements.stream().map(Collections::unmodifiableList).toList();
    }

    /**
     * The parts of a process whose hardware is on several nodes: equal shares, each on a node of its own.
     *
     * @param ranks its hardware ranks, ascending
     * @param isolate whether the process sees only the accelerators that it was given
     * @return the parts, by node; empty when the hardware cannot be shared so
     */
    static Optional<List<PlacementDraft>> parts(HardwareRankResolver resolver, List<Integer> ranks, boolean isolate) {
        Map<NodeInfo, List<Integer>> byNode = new LinkedHashMap<>();
        Set<String> types = new HashSet<>();
        int runs = 0;
        NodeInfo before = null;
        for (int rank : ranks) {
            NodeInfo node = resolver.node(rank);
            runs += node.equals(before) ? 0 : 1;
            before = node;
            types.add(resolver.hardwareType(rank).orElseThrow());
            byNode.computeIfAbsent(node, key -> new ArrayList<>()).add(rank);
        }
        int share = ranks.size() / byNode.size();
        boolean equal = byNode.values().stream().allMatch(own -> own.size() == share);
        if (runs > byNode.size() || types.size() > 1 || !equal) {
            return Optional.empty();
        }
        List<PlacementDraft> parts = new ArrayList<>();
        byNode.forEach((node, own) -> parts.add(new PlacementDraft(
                node,
                own.stream().map(resolver::localRank).toList(),
                isolate && types.stream().allMatch(node::isAccelerator),
                resolver.group(own.get(0)).label())));
        return Optional.of(List.copyOf(parts));
    }

    /** Refuses a process whose hardware is on another number of nodes than it is to span. */
    static void requireNodes(List<PlacementDraft> parts, int nodes, String component, int rank) {
        if (nodes > 0 && parts.size() != nodes) {
            throw PlacementException.builder("is to span %d node%s (nnodes: %d), but its hardware is on %d: %s"
                            .formatted(
                                    nodes,
                                    nodes == 1 ? "" : "s",
                                    nodes,
                                    parts.size(),
                                    RankExpression.describe(parts.stream()
                                            .map(part -> part.node().rank())
                                            .toList())))
                    .component(component)
                    .rank(rank)
                    .fix("Leave nnodes unset: it follows from the placement.")
                    .build();
        }
    }

    /**
     * The placement of one process.
     *
     * @param rank its rank in its group
     * @param nodeRank the rank of its node among those of the group
     * @param localRank its rank among the group's processes on the node
     * @param localWorldSize how many these are
     * @param isolate the group's wish, recorded in the placement
     */
    public Placement toPlacement(int rank, int nodeRank, int localRank, int localWorldSize, boolean isolate) {
        List<Integer> visible = seesOnlyItsOwn
                ? localHardwareRanks
                : IntStream.range(0, node.accelerators()).boxed().toList();
        return new Placement(
                rank,
                node.rank(),
                nodeRank,
                visible.isEmpty() ? -1 : visible.get(0),
                node.acceleratorType(),
                localRank,
                localWorldSize,
                visible.stream().map(String::valueOf).toList(),
                isolate,
                localHardwareRanks,
                nodeGroupLabel);
    }
}
