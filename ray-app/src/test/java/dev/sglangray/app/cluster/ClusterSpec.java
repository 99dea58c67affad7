/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.util.List;

/**
 * A test cluster before it is started.
 *
 * @param rayVersion the version of Ray, for example 2.60.0
 * @param nodes the nodes; the first is the head
 * @param services what is to run on them
 * @param addresses what Ray knows the nodes by
 */
public record ClusterSpec(String rayVersion, List<NodeSpec> nodes, Services services, Addresses addresses) {

    /** What Ray knows nodes by. */
    public enum Addresses {
        /** IPv4 addresses. */
        IPV4,
        /** Host names, as on Slurm. */
        NAMES,
        /** Host names of nodes that have IPv6 addresses only. */
        IPV6_NAMES
    }

    private static final int MOST_NODES = 26;

    /** Of nodes that are known by IPv4 addresses. */
    public ClusterSpec(String rayVersion, List<NodeSpec> nodes, Services services) {
        this(rayVersion, nodes, services, Addresses.IPV4);
    }

    public ClusterSpec {
        nodes = List.copyOf(nodes);
        if (nodes.isEmpty() || nodes.size() > MOST_NODES) {
            throw new IllegalArgumentException("a test cluster has 1 to " + MOST_NODES + " nodes, not " + nodes.size());
        }
    }

    /** What Ray knows a node by. */
    String address(ClusterNode node) {
        return addresses == Addresses.IPV4 ? node.ip() : node.name();
    }
}
