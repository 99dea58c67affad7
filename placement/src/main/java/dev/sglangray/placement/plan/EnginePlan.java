/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.OrderedMap;
import dev.sglangray.placement.cluster.EnvironmentMerge;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One engine of a fleet: where it goes and how it is started.
 *
 * @param rank its rank in the server group
 * @param groupName the server group
 * @param node its node
 * @param placement its accelerators and ranks
 * @param bundleIndex its bundle in the placement group
 * @param resources what its actor takes of the bundle, by Ray's names
 * @param serverType {@code srt} or {@code embodied}, as configured
 * @param serverArgs the configured arguments; host, port and dist_init_addr are chosen at run time
 * @param environment the variables of RLinf's scheduler over those of the node group; merge them over the node's own with
 *     {@link EnvironmentMerge}
 * @param pythonInterpreter the Python that the node group names, or null for the default
 */
public record EnginePlan(
        int rank,
        String groupName,
        NodeInfo node,
        Placement placement,
        int bundleIndex,
        Map<String, Double> resources,
        String serverType,
        Map<String, @Nullable Object> serverArgs,
        Map<String, String> environment,
        @Nullable String pythonInterpreter) {
    /** Copies the maps. */
    public EnginePlan {
        resources = OrderedMap.copyOf(resources);
        serverArgs = OrderedMap.copyOf(serverArgs);
        environment = OrderedMap.copyOf(environment);
    }

    /** The same engine, in this Python where the node group names none. */
    EnginePlan withDefaultPython(String python) {
        return pythonInterpreter != null
                ? this
                : new EnginePlan(
                        rank,
                        groupName,
                        node,
                        placement,
                        bundleIndex,
                        resources,
                        serverType,
                        serverArgs,
                        environment,
                        python);
    }

    /**
     * The engine of another rank in this one's place: same accelerators, same bundle.
     *
     * @param worldSize how many engines the group has then
     */
    public EnginePlan atRank(int other, int worldSize) {
        Map<String, String> variables = new LinkedHashMap<>(environment);
        variables.putAll(SchedulerEnvironment.ofRank(groupName, other, worldSize));
        return new EnginePlan(
                other,
                groupName,
                node,
                placement.atRank(other),
                bundleIndex,
                resources,
                serverType,
                serverArgs,
                variables,
                pythonInterpreter);
    }

    /** The name of its actor, {@code <group>:<rank>}. */
    public String actorName() {
        return groupName + ":" + rank;
    }

    /** How many accelerators it is given; 0 on a node placement. */
    public int accelerators() {
        return placement.localHardwareRanks().size();
    }
}
