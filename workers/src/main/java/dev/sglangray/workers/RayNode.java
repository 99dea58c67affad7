/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.bridge.NodeDirectories;
import dev.sglangray.workers.protocol.WorkerFailure;
import io.ray.api.Ray;
import io.ray.api.id.UniqueId;
import io.ray.api.runtimecontext.NodeInfo;
import io.ray.api.runtimecontext.RuntimeContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads, inside an actor, where it is. */
final class RayNode {
    private static final Logger LOG = LoggerFactory.getLogger(RayNode.class);

    private RayNode() {}

    static WorkerNode current() {
        RuntimeContext context = Ray.getRuntimeContext();
        UniqueId id = context.getCurrentNodeId();
        for (NodeInfo node : context.getAllNodeInfo()) {
            if (node.nodeId.equals(id)) {
                return new WorkerNode(id.toString(), node.nodeAddress, devices(context), logs(node));
            }
        }
        throw new WorkerFailure("Ray does not list the node " + id + " that this worker runs on");
    }

    private static List<String> devices(RuntimeContext context) {
        try {
            return context.getGpuIds().stream().sorted().map(String::valueOf).toList();
        } catch (NumberFormatException e) {
            // Ray's Java side cannot read a CUDA_VISIBLE_DEVICES that names devices by UUID.
            LOG.warn("Ray cannot tell the accelerators of this worker; the plan's are used: {}", e.getMessage());
            return List.of();
        }
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
