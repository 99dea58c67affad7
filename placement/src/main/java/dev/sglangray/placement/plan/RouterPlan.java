/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.OrderedMap;
import dev.sglangray.placement.cluster.NodeInfo;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The router of a fleet. It is given no accelerator and sees none.
 *
 * @param groupName the router group
 * @param routerType which router it is, {@code sglang-router} or {@code smg}; null for the one that its Python has
 * @param node its node
 * @param bundleIndex its bundle in the placement group
 * @param resources what its actor takes of the bundle, by Ray's names
 * @param routerArgs the configured arguments; an unset port is chosen at run time
 * @param environment as {@link EnginePlan#environment()}
 * @param pythonInterpreter the Python that the node group names, or null for the default
 */
public record RouterPlan(
        String groupName,
        @Nullable String routerType,
        NodeInfo node,
        int bundleIndex,
        Map<String, Double> resources,
        Map<String, @Nullable Object> routerArgs,
        Map<String, String> environment,
        @Nullable String pythonInterpreter) {
    /** Copies the maps. */
    public RouterPlan {
        resources = OrderedMap.copyOf(resources);
        routerArgs = OrderedMap.copyOf(routerArgs);
        environment = OrderedMap.copyOf(environment);
    }

    /** The same router, in this Python where the node group names none. */
    RouterPlan withDefaultPython(String python) {
        return pythonInterpreter != null
                ? this
                : new RouterPlan(groupName, routerType, node, bundleIndex, resources, routerArgs, environment, python);
    }

    /** The name of its actor, {@code <group>:0}. */
    public String actorName() {
        return groupName + ":0";
    }
}
