/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.RayNodeDescription;
import io.ray.api.ObjectRef;
import io.ray.api.Ray;
import io.ray.api.WaitResult;
import io.ray.api.exception.RayException;
import io.ray.api.function.PyFunction;
import io.ray.api.runtimecontext.NodeInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads {@code RLINF_NODE_RANK} on each node, as RLinf does: the variable is set before {@code ray start}, and workers
 * inherit it.
 *
 * <p>A task of Python's own {@code os.getenv} reads it, which takes neither a JVM per node nor code of ours there.
 */
final class RankVariables {
    static final String NAME = "RLINF_NODE_RANK";

    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final int SLICE_MILLIS = 500;
    private static final double A_LITTLE = 0.001;

    private RankVariables() {}

    /**
     * The variable's values by node id, without the nodes that have none. Takes about a second, 60 s at most.
     *
     * @throws PlacementException when a node does not answer in time, or this thread is interrupted
     */
    static Map<String, String> read(List<NodeInfo> nodes) {
        Map<ObjectRef<Object>, NodeInfo> asked = new LinkedHashMap<>();
        for (NodeInfo node : nodes) {
            asked.put(
                    Ray.task(PyFunction.of("os", "getenv", Object.class), NAME)
                            .setName("read " + NAME)
                            .setResource("node:" + node.nodeAddress, A_LITTLE)
                            .setResource("CPU", 0.0)
                            .remote(),
                    node);
        }
        awaitAll(asked);
        Map<String, String> values = new LinkedHashMap<>();
        asked.forEach((answer, node) -> {
            Object value = value(answer, node);
            if (value instanceof String text && !text.isBlank()) {
                values.put(node.nodeId.toString(), text);
            }
        });
        return values;
    }

    private static void awaitAll(Map<ObjectRef<Object>, NodeInfo> asked) {
        long end = System.nanoTime() + DEADLINE.toNanos();
        List<ObjectRef<Object>> waiting = new ArrayList<>(asked.keySet());
        while (!waiting.isEmpty()) {
            WaitResult<Object> result = Ray.wait(waiting, waiting.size(), SLICE_MILLIS);
            waiting = new ArrayList<>(result.getUnready());
            if (waiting.isEmpty()) {
                return;
            }
            // Not cleared: the caller that stops the work looks at it.
            if (Thread.currentThread().isInterrupted()) {
                throw refusal("interrupted while reading %s on the nodes".formatted(NAME));
            }
            if (System.nanoTime() > end) {
                List<String> silent = waiting.stream()
                        .map(asked::get)
                        .map(node -> node == null ? "?" : node.nodeAddress)
                        .toList();
                throw refusal("%s cannot be read: no answer within %d s from %s"
                        .formatted(NAME, DEADLINE.toSeconds(), String.join(", ", silent)));
            }
        }
    }

    private static Object value(ObjectRef<Object> answer, NodeInfo node) {
        try {
            Object value = answer.get();
            return value == null ? "" : value;
        } catch (RayException e) {
            throw refusal("%s cannot be read on node %s: %s".formatted(NAME, node.nodeAddress, e.getMessage()));
        }
    }

    private static PlacementException refusal(String message) {
        return PlacementException.builder(message)
                .component("cluster")
                .fix("Or rank every node when it joins: ray start --resources='{\"%sN\": 1}'."
                        .formatted(RayNodeDescription.RANK_RESOURCE))
                .build();
    }
}
