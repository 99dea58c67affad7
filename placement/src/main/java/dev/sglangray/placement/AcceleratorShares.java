/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How much of Ray's accelerator resource each process of a group reserves. Ray shares a single accelerator by fractions;
 * several at once it gives out whole only.
 */
final class AcceleratorShares {
    /** Ray counts resources in ten-thousandths. */
    private static final double PARTS = 10_000;

    private final Cluster cluster;
    private final String groupName;
    private final Map<Long, Integer> users = new HashMap<>();

    AcceleratorShares(Cluster cluster, String groupName, List<Placement> placements) {
        this.cluster = cluster;
        this.groupName = groupName;
        for (Placement placement : placements) {
            if (width(placement) > 0) {
                for (int accelerator : placement.localHardwareRanks()) {
                    users.merge(key(placement, accelerator), 1, Integer::sum);
                }
            }
        }
    }

    private static long key(Placement placement, int accelerator) {
        return ((long) placement.clusterNodeRank() << 32) + accelerator;
    }

    /** How many accelerators a process is given; 0 for other hardware and for nodes. */
    int width(Placement placement) {
        boolean accelerators = cluster.nodeGroup(placement.nodeGroupLabel())
                .flatMap(NodeGroupInfo::hardwareType)
                .filter(NodeInfo.ACCELERATOR::equals)
                .isPresent();
        return accelerators ? placement.localHardwareRanks().size() : 0;
    }

    /**
     * What a process reserves: its width, or a fraction of the accelerator that it shares.
     *
     * @throws PlacementException when it has several accelerators and another process has one of them too
     */
    double amount(Placement placement) {
        int width = width(placement);
        for (int i = 0; i < width; i++) {
            int accelerator = placement.localHardwareRanks().get(i);
            int sharers = users.getOrDefault(key(placement, accelerator), 1);
            if (sharers > 1 && width > 1) {
                throw PlacementException.builder(
                                "accelerator %d of node rank %d is given to %d engines; engines of several accelerators cannot share"
                                        .formatted(accelerator, placement.clusterNodeRank(), sharers))
                        .component(groupName)
                        .rank(placement.rank())
                        .seen(placement.localHardwareRanks())
                        .available("Nodes", NodeTable.lines(cluster))
                        .build();
            }
            if (sharers > 1) {
                return Math.floor(PARTS / sharers) / PARTS;
            }
        }
        return width;
    }
}
