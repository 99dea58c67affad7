/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.cluster.NodeInfo;
import java.util.List;
import java.util.Optional;

/**
 * Counts hardware ranks across several node groups: the ranks of the first group come first, and so on.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class HardwareRankResolver {
    private final List<NodeGroupInfo> groups;
    private final int[] firstRanks;

    public HardwareRankResolver(List<NodeGroupInfo> groups) {
        this.groups = List.copyOf(groups);
        this.firstRanks = new int[groups.size() + 1];
        for (int i = 0; i < groups.size(); i++) {
            firstRanks[i + 1] = firstRanks[i] + groups.get(i).hardwareCount();
        }
    }

    /** How many ranks there are. */
    public int count() {
        return firstRanks[groups.size()];
    }

    /** Whether every group has a hardware type; else its ranks count nodes. */
    boolean allHaveHardware() {
        return groups.stream().allMatch(group -> group.hardwareType().isPresent());
    }

    /** The hardware types of the groups, {@code "Node"} when one of them has none: for messages. */
    String kind() {
        return allHaveHardware()
                ? String.join(
                        ", ",
                        groups.stream()
                                .flatMap(group -> group.hardwareType().stream())
                                .distinct()
                                .toList())
                : "Node";
    }

    List<String> labels() {
        return groups.stream().map(NodeGroupInfo::label).toList();
    }

    NodeGroupInfo group(int rank) {
        return groups.get(index(rank));
    }

    Optional<String> hardwareType(int rank) {
        return group(rank).hardwareType();
    }

    /** The node that has the rank; its group must have a hardware type. */
    NodeInfo node(int rank) {
        int i = index(rank);
        return groups.get(i).nodeOf(rank - firstRanks[i]);
    }

    /** The rank's place on its node; its group must have a hardware type. */
    public int localRank(int rank) {
        int i = index(rank);
        return groups.get(i).localRank(rank - firstRanks[i]);
    }

    private int index(int rank) {
        if (rank < 0 || rank >= count()) {
            throw new IndexOutOfBoundsException("hardware rank " + rank + " of " + count());
        }
        // The last group that begins at or before the rank: those without any hardware begin where the next one does.
        int low = 0;
        int high = groups.size() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (firstRanks[middle] <= rank) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }
}
