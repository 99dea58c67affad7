/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.cluster.NodeInfo;
import java.util.Map;

/** What nodes have left for a fleet that grows. */
public interface Capacity {
    /** Whether the node is there. */
    boolean has(NodeInfo node);

    /** Sets resources of a node aside for the plan that is made, by Ray's names; false, and nothing is, where they lack. */
    boolean take(NodeInfo node, Map<String, Double> resources);

    /** What a node has left, in words. */
    String left(NodeInfo node);
}
