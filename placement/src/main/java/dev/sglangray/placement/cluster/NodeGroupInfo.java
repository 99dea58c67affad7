/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.rank.RankExpression;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A node group with its nodes. Hardware ranks count the group's hardware from 0, node after node.
 *
 * <p>Immutable and safe for use by several threads. Rank look-ups take logarithmic time.
 */
public final class NodeGroupInfo {
    /** The reserved group of all nodes with their accelerators. */
    public static final String CLUSTER = "cluster";

    /** The reserved group of all nodes without their hardware. */
    public static final String NODE = "node";

    private final String label;
    private final List<NodeInfo> nodes;
    private final @Nullable String hardwareType;
    private final boolean ignoreHardware;
    private final Map<Integer, List<NodeEnvironment>> environments = new HashMap<>();
    private final int[] firstRanks;

    NodeGroupInfo(
            String label,
            List<NodeInfo> nodes,
            @Nullable String hardwareType,
            boolean ignoreHardware,
            List<NodeEnvironment> environments) {
        this.label = label;
        this.nodes = List.copyOf(nodes);
        boolean accelerators = nodes.stream().anyMatch(node -> node.accelerators() > 0);
        this.hardwareType =
                hardwareType == null && !ignoreHardware && accelerators ? NodeInfo.ACCELERATOR : hardwareType;
        this.ignoreHardware = ignoreHardware;
        for (NodeEnvironment environment : environments) {
            for (int nodeRank : environment.nodeRanks()) {
                this.environments
                        .computeIfAbsent(nodeRank, rank -> new ArrayList<>())
                        .add(environment);
            }
        }
        this.firstRanks = new int[nodes.size() + 1];
        for (int i = 0; i < nodes.size(); i++) {
            firstRanks[i + 1] = firstRanks[i]
                    + (this.hardwareType == null ? 0 : nodes.get(i).hardwareCount(this.hardwareType));
        }
    }

    /** The group's name. */
    public String label() {
        return label;
    }

    /** Its nodes, by ascending rank. */
    public List<NodeInfo> nodes() {
        return nodes;
    }

    /** The ranks of its nodes. */
    public List<Integer> nodeRanks() {
        return nodes.stream().map(NodeInfo::rank).toList();
    }

    /** The type of its hardware; empty when its nodes themselves are what is counted. */
    public Optional<String> hardwareType() {
        return Optional.ofNullable(hardwareType);
    }

    /** Whether the configuration asks to overlook the nodes' hardware. */
    public boolean ignoreHardware() {
        return ignoreHardware;
    }

    /** How many hardware ranks the group has; the number of nodes when it has no hardware type. */
    public int hardwareCount() {
        return hardwareType == null ? nodes.size() : firstRanks[nodes.size()];
    }

    /** The hardware ranks of each node, in the order of {@link #nodes()}; empty ones where {@link #hardwareType()} is empty. */
    public List<List<Integer>> hardwareRanksByNode() {
        return IntStream.range(0, nodes.size())
                .mapToObj(i -> IntStream.range(firstRanks[i], firstRanks[i + 1])
                        .boxed()
                        .toList())
                .toList();
    }

    /** The node that has a hardware rank; only for groups with a hardware type. */
    public NodeInfo nodeOf(int hardwareRank) {
        return nodes.get(nodeIndex(hardwareRank));
    }

    /** The place of a hardware rank on its node, counted from 0; only for groups with a hardware type. */
    public int localRank(int hardwareRank) {
        return hardwareRank - firstRanks[nodeIndex(hardwareRank)];
    }

    /** The hardware rank of a piece on a node of this group; only for groups with a hardware type. */
    public int hardwareRank(int nodeRank, int localRank) {
        int low = 0;
        int high = nodes.size() - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (nodes.get(middle).rank() < nodeRank) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return firstRanks[low] + localRank;
    }

    private int nodeIndex(int hardwareRank) {
        if (hardwareType == null || hardwareRank < 0 || hardwareRank >= firstRanks[nodes.size()]) {
            throw new IndexOutOfBoundsException("hardware rank " + hardwareRank + " of node group " + label);
        }
        int low = 0;
        int high = nodes.size() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (firstRanks[middle] <= hardwareRank) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    /** The variables that the group's configuration sets on a node; empty when none. */
    public Map<String, String> environmentVariables(int nodeRank) {
        // Like the original: the first entry that has variables for the node wins.
        return environments.getOrDefault(nodeRank, List.of()).stream()
                .filter(entry -> !entry.variables().isEmpty())
                .findFirst()
                .map(NodeEnvironment::variables)
                .orElse(Map.of());
    }

    /**
     * The Python interpreter that the group's configuration names for a node.
     *
     * @throws PlacementException when it names two different ones
     */
    public Optional<String> pythonInterpreter(int nodeRank) {
        Set<String> paths = new LinkedHashSet<>();
        for (NodeEnvironment entry : environments.getOrDefault(nodeRank, List.of())) {
            if (entry.pythonInterpreter() != null) {
                paths.add(entry.pythonInterpreter());
            }
        }
        if (paths.size() > 1) {
            throw PlacementException.of("node group \"%s\" names several Python interpreters for node rank %d: %s"
                    .formatted(label, nodeRank, String.join(", ", paths)));
        }
        return paths.stream().findFirst();
    }

    @Override
    public String toString() {
        return label + " (" + (hardwareType == null ? "nodes" : hardwareType) + ": " + hardwareCount()
                + ", on node ranks " + RankExpression.describe(nodeRanks()) + ")";
    }
}
