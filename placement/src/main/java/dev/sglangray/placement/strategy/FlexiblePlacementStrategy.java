/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeTable;
import dev.sglangray.placement.rank.RankExpression;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * Gives each process the hardware ranks named for it, as in RLinf: ranks are sorted within a process, and
 * processes by their first rank. Two processes may share a piece of hardware.
 */
public final class FlexiblePlacementStrategy implements PlacementStrategy {
    private static final String COMPONENT = "flexible placement";

    private final List<List<Integer>> hardwareRanks;
    private final List<String> nodeGroupLabels;

    /**
     * Describes the processes.
     *
     * @param hardwareRanks for each process its hardware ranks, counted in the node groups
     * @param nodeGroupLabels the node groups, in the order in which their ranks are counted; empty for the whole cluster
     * @throws PlacementException when there is no rank, or a negative one
     */
    public FlexiblePlacementStrategy(List<List<Integer>> hardwareRanks, List<String> nodeGroupLabels) {
        this.nodeGroupLabels = List.copyOf(nodeGroupLabels);
        List<List<Integer>> sorted = new ArrayList<>();
        boolean any = false;
        for (List<Integer> ranks : hardwareRanks) {
            List<Integer> own = new ArrayList<>(ranks);
            Collections.sort(own);
            any |= !own.isEmpty();
            if (!own.isEmpty() && own.get(0) < 0) {
                throw refusal("hardware rank %d is negative".formatted(own.get(0)));
            }
            sorted.add(Collections.unmodifiableList(own));
        }
        if (!any) {
            throw refusal("no hardware rank is named for any process");
        }
        sorted.sort(Comparator.comparing(ranks -> ranks.isEmpty() ? -1 : ranks.get(0)));
        this.hardwareRanks = Collections.unmodifiableList(sorted);
    }

    @Override
    public List<List<PlacementDraft>> drafts(Cluster cluster, boolean isolateAccelerator, OptionalInt nodes) {
        HardwareRankResolver resolver = new HardwareRankResolver(cluster.requireNodeGroups(nodeGroupLabels, COMPONENT));
        List<List<PlacementDraft>> drafts = new ArrayList<>(hardwareRanks.size());
        int previousNode = -1;
        for (List<Integer> ranks : hardwareRanks) {
            List<PlacementDraft> parts =
                    draft(cluster, resolver, ranks, drafts.size(), isolateAccelerator, nodes.isPresent());
            PlacementDraft.requireNodes(parts, nodes.orElse(0), COMPONENT, drafts.size());
            PlacementDraft draft = parts.get(0);
            if (draft.node().rank() < previousNode) {
                throw PlacementException.builder(
                                ("lands on node rank %d after a process on node rank %d: list the node groups %s so that"
                                                + " node ranks ascend")
                                        .formatted(
                                                draft.node().rank(),
                                                previousNode,
                                                String.join(", ", resolver.labels())))
                        .component(COMPONENT)
                        .rank(drafts.size())
                        .available("Nodes", NodeTable.lines(cluster))
                        .build();
            }
            previousNode = parts.get(parts.size() - 1).node().rank();
            drafts.add(parts);
        }
        return drafts;
    }

    private static List<PlacementDraft> draft(
            Cluster cluster,
            HardwareRankResolver resolver,
            List<Integer> ranks,
            int processRank,
            boolean isolate,
            boolean maySpan) {
        if (ranks.isEmpty()) {
            throw refusal(cluster, processRank, "is given no hardware rank");
        }
        int highest = ranks.get(ranks.size() - 1);
        if (highest >= resolver.count()) {
            throw refusal(
                    cluster,
                    processRank,
                    "asks for hardware rank %d of node group %s, which has %s"
                            .formatted(
                                    highest,
                                    String.join(", ", resolver.labels()),
                                    resolver.count() == 0 ? "none" : "ranks 0 to " + (resolver.count() - 1)));
        }
        if (new HashSet<>(ranks).size() < ranks.size()) {
            throw refusal(cluster, processRank, "names a hardware rank twice: " + ranks);
        }
        Set<Integer> nodes = new TreeSet<>();
        Set<String> types = new TreeSet<>();
        for (int rank : ranks) {
            String type = resolver.hardwareType(rank).orElse(null);
            if (type == null) {
                throw PlacementException.builder(
                                "asks for hardware rank %d, but node group \"%s\" has no accelerators or other hardware"
                                        .formatted(rank, resolver.group(rank).label()))
                        .component(COMPONENT)
                        .rank(processRank)
                        .available("Nodes", NodeTable.lines(cluster))
                        .fix(NoAccelerators.ADVICE)
                        .build();
            }
            types.add(type);
            nodes.add(resolver.node(rank).rank());
        }
        if (nodes.size() > 1 && maySpan) {
            return PlacementDraft.parts(resolver, ranks, isolate)
                    .orElseThrow(() -> refusal(
                            cluster,
                            processRank,
                            "is given hardware ranks %s, which lie on several nodes (ranks %s): over several nodes a process needs"
                                            .formatted(RankExpression.describe(ranks), RankExpression.describe(nodes))
                                    + " equally many pieces of one kind on each"));
        }
        if (nodes.size() > 1) {
            throw refusal(
                    cluster,
                    processRank,
                    "is given hardware ranks %s, which lie on several nodes (ranks %s): a process cannot spread over nodes"
                            .formatted(RankExpression.describe(ranks), RankExpression.describe(nodes)));
        }
        if (types.size() > 1) {
            throw refusal(cluster, processRank, "is given hardware of several types: " + String.join(", ", types));
        }
        int first = ranks.get(0);
        return List.of(new PlacementDraft(
                resolver.node(first),
                ranks.stream().map(resolver::localRank).toList(),
                isolate && types.stream().allMatch(resolver.node(first)::isAccelerator),
                resolver.group(first).label()));
    }

    private static PlacementException refusal(Cluster cluster, int processRank, String message) {
        return PlacementException.builder(message)
                .component(COMPONENT)
                .rank(processRank)
                .available("Nodes", NodeTable.lines(cluster))
                .build();
    }

    private static PlacementException refusal(String message) {
        return PlacementException.builder(message).component(COMPONENT).build();
    }

    /** The hardware ranks of each process, sorted. */
    public List<List<Integer>> hardwareRanks() {
        return hardwareRanks;
    }
}
