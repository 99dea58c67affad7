/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.util.List;

/**
 * A test cluster before it is started.
 *
 * @param rayVersion the version of Ray, for example 2.60.0
 * @param nodes the nodes; the first is the head
 * @param services what is to run on them
 */
public record ClusterSpec(String rayVersion, List<NodeSpec> nodes, Services services) {

    private static final int MOST_NODES = 26;

    public ClusterSpec {
        nodes = List.copyOf(nodes);
        if (nodes.isEmpty() || nodes.size() > MOST_NODES) {
            throw new IllegalArgumentException("a test cluster has 1 to " + MOST_NODES + " nodes, not " + nodes.size());
        }
    }
}
