/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.placement.OrderedMap;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.rank.RankText;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * One node of a Ray cluster as it was when the cluster was read.
 *
 * @param nodeId Ray's id of the node
 * @param ip the node's address as Ray knows it, without brackets
 * @param hostname the node's name; empty when unknown
 * @param labels Ray's labels of the node
 * @param resources Ray's total resources of the node
 * @param accelerators how many accelerators the node has, 0 or more
 * @param acceleratorType their kind; {@link AcceleratorType#NO_ACCEL} when there is none
 * @param acceleratorModel their model, such as {@code "H100"}; empty when unknown or none
 * @param envNodeRank the rank that the node was started with, or null when it was given none
 */
public record NodeSnapshot(
        String nodeId,
        String ip,
        String hostname,
        Map<String, String> labels,
        Map<String, Double> resources,
        int accelerators,
        AcceleratorType acceleratorType,
        String acceleratorModel,
        @Nullable Integer envNodeRank) {

    /** Checks the counts and copies the maps. */
    public NodeSnapshot {
        if (accelerators < 0) {
            throw new IllegalArgumentException("accelerators must not be negative: " + accelerators);
        }
        labels = OrderedMap.copyOf(labels);
        resources = OrderedMap.copyOf(resources);
    }

    /** A node without labels or other resources, for programs that describe a cluster by hand. */
    public static NodeSnapshot of(
            String nodeId, String ip, int accelerators, AcceleratorType type, String model, @Nullable Integer rank) {
        return new NodeSnapshot(nodeId, ip, "", Map.of(), Map.of(), accelerators, type, model, rank);
    }

    /** This node, started with another rank, or with none. */
    public NodeSnapshot withEnvNodeRank(@Nullable Integer rank) {
        return new NodeSnapshot(
                nodeId, ip, hostname, labels, resources, accelerators, acceleratorType, acceleratorModel, rank);
    }

    /**
     * Reads the rank that a node was started with.
     *
     * @param text the value, or null when there is none
     * @param where names the node and the source of the value, for the message
     * @throws PlacementException when it is not a whole number
     */
    public static @Nullable Integer parseRank(@Nullable String text, String where) {
        if (text == null) {
            return null;
        }
        OptionalInt rank = RankText.parseInt(text);
        if (rank.isEmpty()) {
            throw PlacementException.of(
                    "the node rank of %s must be a whole number, not \"%s\"".formatted(where, text));
        }
        return rank.getAsInt();
    }
}
