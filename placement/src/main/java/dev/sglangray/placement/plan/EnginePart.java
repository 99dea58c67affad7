/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.OrderedMap;
import dev.sglangray.placement.cluster.EnvironmentMerge;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One node's share of an engine: one actor in one bundle. Most engines have one part only.
 *
 * @param node its node
 * @param placement its accelerators, and its engine's rank
 * @param bundleIndex its bundle in the placement group
 * @param resources what its actor takes of the bundle, by Ray's names
 * @param environment the variables of RLinf's scheduler over those of the node group; merge them over the node's own with
 *     {@link EnvironmentMerge}
 * @param pythonInterpreter the Python that the node group names, or null for the default
 */
public record EnginePart(
        NodeInfo node,
        Placement placement,
        int bundleIndex,
        Map<String, Double> resources,
        Map<String, String> environment,
        @Nullable String pythonInterpreter) {
    /** Copies the maps. */
    public EnginePart {
        resources = OrderedMap.copyOf(resources);
        environment = OrderedMap.copyOf(environment);
    }

    /** The same part, in this Python where the node group names none. */
    EnginePart withDefaultPython(String python) {
        return pythonInterpreter != null
                ? this
                : new EnginePart(node, placement, bundleIndex, resources, environment, python);
    }
}
