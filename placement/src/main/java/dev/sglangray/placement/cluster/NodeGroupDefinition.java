/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.placement.OrderedMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A node group as it is configured, before any node is known.
 *
 * @param label the group's name; {@link NodeGroupInfo#CLUSTER} and {@link NodeGroupInfo#NODE} are reserved
 * @param nodes which nodes belong to it
 * @param hardwareType the type whose pieces are the group's hardware ranks, or null for accelerators where there are any
 * @param devices how many pieces of {@code hardwareType} are declared on each node (robots and the like), by its rank
 * @param ignoreHardware treat the nodes as plain nodes, whatever they have
 * @param environments the group's software environments
 */
public record NodeGroupDefinition(
        String label,
        NodeSelector nodes,
        @Nullable String hardwareType,
        Map<Integer, Integer> devices,
        boolean ignoreHardware,
        List<NodeEnvironment> environments) {
    /** Copies the collections. */
    public NodeGroupDefinition {
        devices = OrderedMap.copyOf(devices);
        environments = List.copyOf(environments);
    }
}
