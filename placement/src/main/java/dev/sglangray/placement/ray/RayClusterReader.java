/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.cluster.RayNodeDescription;
import io.ray.api.Ray;
import io.ray.api.id.UniqueId;
import io.ray.api.runtimecontext.NodeInfo;
import io.ray.api.runtimecontext.RuntimeContext;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Reads the living nodes of the Ray cluster that this JVM is connected to.
 *
 * <p>What its resources and labels mean is said in {@link RayNodeDescription}. On a cluster of several nodes where none
 * declares a rank, a node's rank is the variable {@code RLINF_NODE_RANK} of its {@code ray start}, as in RLinf; reading it
 * takes a task on each node.
 *
 * <p>Safe for use by several threads.
 */
public final class RayClusterReader {
    private static final String HEAD_RESOURCE = "node:__internal_head__";

    private RayClusterReader() {}

    /**
     * Reads the cluster. The head is the driver's own node, else Ray's head node.
     *
     * @throws PlacementException when a node's rank cannot be read, or this thread is interrupted
     * @throws IllegalStateException when this JVM is not connected to Ray
     */
    public static ClusterSnapshot read() {
        return read(RankVariables::read);
    }

    /** As {@link #read()}, but no node is asked for its variables, which makes it cheap; ranks may be missing. */
    public static ClusterSnapshot readWithoutVariables() {
        return read(nodes -> Map.of());
    }

    /** The addresses of the living nodes; reads nothing else of them, so that no description of a node can be wrong. */
    public static Set<String> livingAddresses() {
        return Ray.getRuntimeContext().getAllNodeInfo().stream()
                .filter(node -> node.isAlive)
                .map(node -> node.nodeAddress)
                .collect(Collectors.toSet());
    }

    private static ClusterSnapshot read(Function<List<NodeInfo>, Map<String, String>> variables) {
        if (!Ray.isInitialized()) {
            throw new IllegalStateException("not connected to Ray: call Ray.init() first");
        }
        RuntimeContext context = Ray.getRuntimeContext();
        return snapshot(context.getAllNodeInfo(), context.getCurrentNodeId(), variables);
    }

    static ClusterSnapshot snapshot(
            List<NodeInfo> nodes,
            @Nullable UniqueId driverNode,
            Function<List<NodeInfo>, Map<String, String>> variables) {
        List<NodeInfo> living = nodes.stream().filter(node -> node.isAlive).toList();
        List<NodeSnapshot> declared =
                living.stream().map(RayClusterReader::node).toList();
        boolean ask = declared.size() > 1 && declared.stream().allMatch(node -> node.envNodeRank() == null);
        List<NodeSnapshot> alive = ask ? ranked(declared, variables.apply(living)) : declared;
        String driver = driverNode == null ? "" : driverNode.toString();
        String head = alive.stream()
                .filter(node -> node.nodeId().equals(driver))
                .findFirst()
                .or(() -> alive.stream()
                        .filter(node -> node.resources().containsKey(HEAD_RESOURCE))
                        .findFirst())
                .map(NodeSnapshot::nodeId)
                .orElse(driver);
        return new ClusterSnapshot(alive, head);
    }

    private static NodeSnapshot node(NodeInfo node) {
        return RayNodeDescription.snapshot(
                node.nodeId.toString(),
                node.nodeAddress,
                node.nodeHostname == null ? "" : node.nodeHostname,
                node.labels == null ? Map.of() : node.labels,
                node.resources == null ? Map.of() : node.resources);
    }

    private static List<NodeSnapshot> ranked(List<NodeSnapshot> nodes, Map<String, String> variables) {
        return nodes.stream()
                .map(node -> node.withEnvNodeRank(NodeSnapshot.parseRank(
                        variables.get(node.nodeId()),
                        "node %s (its variable %s)".formatted(node.ip(), RankVariables.NAME))))
                .toList();
    }
}
