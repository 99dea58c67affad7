/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.NodeTable;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * Fills a range of hardware ranks with processes of equal width, node after node.
 *
 * <p>As in RLinf, except that a process is never given hardware that its node does not have, and that a
 * width or stride which makes no sense is refused instead of looping.
 */
public final class PackedPlacementStrategy implements PlacementStrategy {
    private static final String COMPONENT = "packed placement";

    private final int startHardwareRank;
    private final int endHardwareRank;
    private final int hardwarePerProcess;
    private final int stride;
    private final List<String> nodeGroupLabels;

    /**
     * Describes the range.
     *
     * @param startHardwareRank the first hardware rank, counted in the node groups
     * @param endHardwareRank the last one, inclusive
     * @param hardwarePerProcess how many pieces each process gets, 1 or more
     * @param stride the distance between the pieces of one process, 1 or more; a process of one piece has none, so any
     *     but 0 is accepted there, as in RLinf
     * @param nodeGroupLabels the node groups, in the order in which their ranks are counted; empty for the whole cluster
     * @throws PlacementException when the range is empty or cannot be divided so
     */
    public PackedPlacementStrategy(
            int startHardwareRank,
            int endHardwareRank,
            int hardwarePerProcess,
            int stride,
            List<String> nodeGroupLabels) {
        this.startHardwareRank = startHardwareRank;
        this.endHardwareRank = endHardwareRank;
        this.hardwarePerProcess = hardwarePerProcess;
        this.nodeGroupLabels = List.copyOf(nodeGroupLabels);
        if (startHardwareRank < 0 || endHardwareRank < startHardwareRank) {
            throw refusal("hardware ranks %d to %d are no range".formatted(startHardwareRank, endHardwareRank), null);
        }
        if (hardwarePerProcess < 1) {
            throw refusal("a process needs 1 or more pieces of hardware, not " + hardwarePerProcess, null);
        }
        if (stride == 0 || (stride < 0 && hardwarePerProcess > 1)) {
            throw refusal("the stride must be 1 or more, not " + stride, null);
        }
        this.stride = hardwarePerProcess == 1 && stride < 0 ? 1 : stride;
        int total = endHardwareRank - startHardwareRank + 1;
        long block = Math.abs((long) hardwarePerProcess * stride);
        if (total % block != 0) {
            throw refusal(
                    "hardware ranks %d to %d are %d pieces, which do not divide into processes of %d%s"
                            .formatted(
                                    startHardwareRank,
                                    endHardwareRank,
                                    total,
                                    hardwarePerProcess,
                                    stride == 1 ? "" : " with stride " + stride),
                    "Use a multiple of " + block + ".");
        }
    }

    /** Packs the whole range with stride 1. */
    public static PackedPlacementStrategy of(
            int startHardwareRank, int endHardwareRank, int hardwarePerProcess, List<String> nodeGroupLabels) {
        return new PackedPlacementStrategy(startHardwareRank, endHardwareRank, hardwarePerProcess, 1, nodeGroupLabels);
    }

    @Override
    public List<List<PlacementDraft>> drafts(Cluster cluster, boolean isolateAccelerator, OptionalInt nodes) {
        HardwareRankResolver resolver = new HardwareRankResolver(cluster.requireNodeGroups(nodeGroupLabels, COMPONENT));
        if (endHardwareRank >= resolver.count()) {
            throw PlacementException.builder("hardware ranks %d to %d are asked for, but %s has %s"
                            .formatted(
                                    startHardwareRank,
                                    endHardwareRank,
                                    groupNames(resolver),
                                    resolver.count() == 0 ? "none" : "only ranks 0 to " + (resolver.count() - 1)))
                    .component(COMPONENT)
                    .available("Nodes", NodeTable.lines(cluster))
                    .build();
        }
        if (!resolver.allHaveHardware()) {
            throw PlacementException.builder("%s has no accelerators or other hardware to pack processes on"
                            .formatted(groupNames(resolver)))
                    .component(COMPONENT)
                    .available("Nodes", NodeTable.lines(cluster))
                    .fix(NoAccelerators.ADVICE)
                    .build();
        }
        List<List<PlacementDraft>> drafts = new ArrayList<>();
        int block = hardwarePerProcess * stride;
        for (int blockStart = startHardwareRank; blockStart <= endHardwareRank; blockStart += block) {
            for (int start = blockStart; start < blockStart + stride; start++) {
                List<PlacementDraft> parts =
                        draft(cluster, resolver, start, drafts.size(), isolateAccelerator, nodes.isPresent());
                PlacementDraft.requireNodes(parts, nodes.orElse(0), COMPONENT, drafts.size());
                drafts.add(parts);
            }
        }
        return drafts;
    }

    private List<PlacementDraft> draft(
            Cluster cluster,
            HardwareRankResolver resolver,
            int start,
            int processRank,
            boolean isolate,
            boolean maySpan) {
        NodeGroupInfo group = resolver.group(start);
        NodeInfo node = resolver.node(start);
        String type = group.hardwareType().orElseThrow();
        int local = resolver.localRank(start);
        int last = local + (hardwarePerProcess - 1) * stride;
        boolean spans = maySpan && hardwarePerProcess > node.hardwareCount(type);
        if (spans) {
            List<Integer> ranks = IntStream.range(0, hardwarePerProcess)
                    .map(piece -> start + piece * stride)
                    .boxed()
                    .toList();
            return PlacementDraft.parts(resolver, ranks, isolate)
                    .orElseThrow(() -> PlacementException.builder(
                                    "needs %d pieces from rank %d on, more than node rank %d has; over several nodes it"
                                                    .formatted(hardwarePerProcess, start, node.rank())
                                            + " needs equally many pieces of one kind on each")
                            .component(COMPONENT)
                            .rank(processRank)
                            .available("Nodes", NodeTable.lines(cluster))
                            .build());
        }
        if (last >= node.hardwareCount(type)) {
            throw PlacementException.builder(
                            "needs %s %s %s of node rank %d, which has only %d: a process cannot spread over nodes"
                                    .formatted(
                                            hardwarePerProcess == 1 ? "piece" : "pieces",
                                            hardwarePerProcess == 1 ? local : local + " to " + last,
                                            stride == 1 ? "(" + type + ")" : "(" + type + ", stride " + stride + ")",
                                            node.rank(),
                                            node.hardwareCount(type)))
                    .component(COMPONENT)
                    .rank(processRank)
                    .available("Nodes", NodeTable.lines(cluster))
                    .build();
        }
        List<Integer> localRanks = new ArrayList<>(hardwarePerProcess);
        for (int rank = local; rank <= last; rank += stride) {
            localRanks.add(rank);
        }
        return List.of(new PlacementDraft(node, localRanks, isolate && node.isAccelerator(type), group.label()));
    }

    private static String groupNames(HardwareRankResolver resolver) {
        return "node group " + String.join(", ", resolver.labels());
    }

    private PlacementException refusal(String message, @org.jspecify.annotations.Nullable String fix) {
        return PlacementException.builder(message).component(COMPONENT).fix(fix).build();
    }
}
