/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import dev.sglangray.bridge.NodeDirectories;
import dev.sglangray.workers.protocol.WorkerFailure;
import io.ray.api.Ray;
import io.ray.api.id.UniqueId;
import io.ray.api.runtimecontext.NodeInfo;
import io.ray.api.runtimecontext.RuntimeContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** Reads, inside an actor, where it is. */
public final class RayNode {
    /** Ray's resource, and its share in a placement group. */
    private static final Pattern GPU = Pattern.compile("GPU(_group_[0-9A-Za-z]+)?");

    private RayNode() {}

    public static WorkerNode current() {
        RuntimeContext context = Ray.getRuntimeContext();
        UniqueId id = context.getCurrentNodeId();
        for (NodeInfo node : context.getAllNodeInfo()) {
            if (node.nodeId.equals(id)) {
                return new WorkerNode(id.toString(), node.nodeAddress, devices(), logs(node));
            }
        }
        throw new WorkerFailure("Ray does not list the node " + id + " that this worker runs on");
    }

    /** As Ray's own {@code getGpuIds}, which fails where the node's Ray was given its accelerators by other names than numbers. */
    private static List<String> devices() {
        return Ray.internal().getAvailableResourceIds().entrySet().stream()
                .filter(resource -> GPU.matcher(resource.getKey()).matches())
                .flatMap(resource -> resource.getValue().stream())
                .map(value -> value.resourceId)
                .distinct()
                .sorted()
                .map(String::valueOf)
                .toList();
    }

    /** The raylet's socket lies in the session's folder on this node, beside the logs that the dashboard shows. */
    private static Path logs(NodeInfo node) {
        Path socket = Path.of(node.rayletSocketName == null ? "" : node.rayletSocketName);
        Path sockets = socket.getParent();
        Path session = sockets == null ? null : sockets.getParent();
        Path logs = session == null ? null : session.resolve("logs");
        return logs != null && Files.isDirectory(logs)
                ? logs
                : NodeDirectories.base().resolve("logs");
    }
}
