/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeTable;
import dev.sglangray.placement.cluster.Placement;
import dev.sglangray.placement.rank.AcceleratorIds;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How much of Ray's resource each process of a group reserves for its accelerators, or for other hardware that Ray counts.
 * Ray shares a single piece by fractions; several at once it gives out whole only.
 */
final class AcceleratorFractions {
    /** Ray counts resources in ten-thousandths. */
    static final double PARTS = 10_000;

    /** So that 0.57 are 5700 parts, though 10000 times 0.57 is a little less in binary. */
    private static final double ROUNDING = 1e-6;

    private final Cluster cluster;
    private final String groupName;
    private final GroupSettings settings;
    private final Map<Long, Integer> users = new HashMap<>();

    /** What a process reserves: so much of a Ray resource. */
    record Amount(String resource, double amount) {}

    /**
     * Counts who uses what.
     *
     * @param settings how much of each piece the fleet takes, if it reserves any in Ray
     */
    AcceleratorFractions(Cluster cluster, String groupName, List<Placement> placements, GroupSettings settings) {
        this.cluster = cluster;
        this.groupName = groupName;
        this.settings = settings;
        for (Placement placement : placements) {
            if (resource(placement).isPresent()) {
                for (int piece : placement.localHardwareRanks()) {
                    users.merge(key(placement, piece), 1, Integer::sum);
                }
            }
        }
    }

    private static long key(Placement placement, int piece) {
        return ((long) placement.clusterNodeRank() << 32) + piece;
    }

    private Optional<String> resource(Placement placement) {
        return cluster.hardwareType(placement).flatMap(cluster.node(placement.clusterNodeRank())::rayResource);
    }

    /** How many accelerators a process is given; 0 for other hardware and for nodes. */
    int width(Placement placement) {
        return cluster.onAccelerators(placement)
                ? placement.localHardwareRanks().size()
                : 0;
    }

    /**
     * What a process reserves: its width, or a fraction of the piece that it shares. Empty for nodes, for hardware that Ray
     * does not count, and where the configuration's word is trusted instead of Ray's.
     *
     * @throws PlacementException when it has several pieces and another process has one of them too
     */
    Optional<Amount> amount(Placement placement) {
        if (settings.acceleratorIds() == AcceleratorIds.TRUST_CONFIG) {
            return Optional.empty();
        }
        return resource(placement).map(name -> new Amount(name, share(placement)));
    }

    private double share(Placement placement) {
        double share = settings.acceleratorShare();
        int width = placement.localHardwareRanks().size();
        int sharers = 1;
        for (int piece : placement.localHardwareRanks()) {
            sharers = Math.max(sharers, users.getOrDefault(key(placement, piece), 1));
            if (sharers > 1 && width > 1) {
                throw refusal(
                        placement,
                        "accelerator %d of node rank %d is given to %d engines; engines of several accelerators cannot share"
                                .formatted(piece, placement.clusterNodeRank(), sharers));
            }
        }
        if (share < 1 && width > 1) {
            throw refusal(
                    placement,
                    ("an accelerator share of %s leaves the rest to others, but this engine has %d accelerators, and Ray gives"
                                    + " several at once out whole only")
                            .formatted(ResourceText.number(share), width));
        }
        if (sharers == 1 && share == 1) {
            return width;
        }
        double parts = Math.floor(PARTS * share / sharers + ROUNDING);
        if (parts < 1) {
            throw refusal(
                    placement,
                    "%d engines share an accelerator share of %s, so that each has less than %s, the smallest part that Ray counts"
                            .formatted(sharers, ResourceText.number(share), ResourceText.number(1 / PARTS)));
        }
        return parts / PARTS;
    }

    private PlacementException refusal(Placement placement, String message) {
        return PlacementException.builder(message)
                .component(groupName)
                .rank(placement.rank())
                .available("Nodes", NodeTable.lines(cluster))
                .build();
    }
}
