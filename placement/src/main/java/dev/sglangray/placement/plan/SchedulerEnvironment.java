/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.OrderedMap;
import dev.sglangray.placement.cluster.EnvironmentMerge;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.cluster.Placement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The variables that RLinf's scheduler sets for a process of a worker group. */
final class SchedulerEnvironment {
    private final String namespace;
    private final String groupName;
    private final String masterAddress;
    private final int worldSize;

    /**
     * The part that all processes of a group share.
     *
     * @param masterAddress the address of the node of the group's rank 0
     */
    SchedulerEnvironment(String namespace, String groupName, String masterAddress, int worldSize) {
        this.namespace = namespace;
        this.groupName = groupName;
        this.masterAddress = masterAddress;
        this.worldSize = worldSize;
    }

    /**
     * All variables of a process, over those of its node group.
     *
     * @param visible the accelerators that the process may see
     */
    Map<String, String> of(Placement placement, NodeInfo node, List<String> visible, Map<String, String> ofGroup) {
        return OrderedMap.of(() -> EnvironmentMerge.merge(ofGroup, variables(placement, node, visible)));
    }

    /** The part that a process's rank decides. */
    static Map<String, String> ofRank(String groupName, int rank, int worldSize) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("WORKER_NAME", groupName + ":" + rank);
        variables.put("WORLD_SIZE", String.valueOf(worldSize));
        variables.put("RANK", String.valueOf(rank));
        return variables;
    }

    private Map<String, String> variables(Placement placement, NodeInfo node, List<String> visible) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("GROUP_NAME", groupName);
        variables.put("MASTER_ADDR", masterAddress);
        variables.putAll(ofRank(groupName, placement.rank(), worldSize));
        variables.put("NODE_RANK", String.valueOf(placement.placementNodeRank()));
        variables.put("CLUSTER_NODE_RANK", String.valueOf(placement.clusterNodeRank()));
        variables.put("LOCAL_ACCELERATOR_RANK", visible.isEmpty() ? "-1" : visible.get(0));
        variables.put("NODE_LOCAL_RANK", String.valueOf(placement.localRank()));
        variables.put("NODE_LOCAL_WORLD_SIZE", String.valueOf(placement.localWorldSize()));
        variables.put("RAY_ACTOR", "1");
        variables.put("CLUSTER_NAMESPACE", namespace);
        variables.put("CATCH_SYSTEM_FAILURE", "0");
        variables.put("VISIBLE_DEVICES", String.join(",", visible));
        variables.put("ACCELERATOR_TYPE", node.acceleratorType().name());
        variables.put("ACCELERATOR_MODEL", node.acceleratorModel());
        variables.put("ISOLATE_ACCELERATOR", placement.isolateAccelerator() ? "1" : "0");
        variables.put(
                "LOCAL_HARDWARE_RANKS",
                String.join(
                        ",",
                        placement.localHardwareRanks().stream()
                                .map(String::valueOf)
                                .toList()));
        variables.put("NODE_GROUP_LABEL", placement.nodeGroupLabel());
        variables.putAll(node.acceleratorType().environment(visible));
        return variables;
    }
}
