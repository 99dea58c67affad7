/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.annotation.Nulls;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a worker says about itself. As JSON it is one flat object, the parts' fields in their order.
 *
 * @param identity which worker it is
 * @param state {@code NEW}, {@code STARTING}, {@code READY}, {@code DRAINED} (runs, but gets no new requests), {@code
 *     RESTARTING} (is being replaced), {@code FAILED} (for good) or {@code STOPPED}
 * @param url where it serves, or null before it is known
 * @param process what runs, and where
 * @param supervision what went wrong, and how often it came back
 * @param service what it serves with, and what holds it back
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
public record WorkerStatus(
        @JsonUnwrapped Identity identity,
        String state,
        @Nullable String url,
        @JsonUnwrapped ProcessPart process,
        @JsonUnwrapped SupervisionPart supervision,
        @JsonUnwrapped ServicePart service) {
    /** The state that stands for a worker which does not answer. */
    public static final String GONE = "GONE";

    /** What stands for a worker that does not answer; {@code why} in words. */
    public static WorkerStatus gone(String kind, String group, int rank, int groupSize, String nodeIp, String why) {
        return new WorkerStatus(
                new Identity(kind, group, rank, groupSize, "", "", "", false),
                GONE,
                null,
                new ProcessPart("", nodeIp, null, 0, List.of(), null, null, List.of()),
                new SupervisionPart(why, null, 0, null, 0, null),
                ServicePart.UNKNOWN);
    }

    /**
     * Which worker it is.
     *
     * @param kind {@code server} or {@code router}
     * @param group the group's name
     * @param rank the rank in it
     * @param groupSize how many workers the group has
     * @param pool the engine's pool; empty for a router, and in a fleet that names no pools
     * @param workerType what the engine does: {@code regular}, {@code prefill} or {@code decode}; empty for a router, and where
     *     the engine does not answer
     * @param model the name of the model that the engine serves; empty for a router, and where the engine does not answer
     * @param updateWeights whether the engine gets the weights of an update; false for a router, and where the engine does not
     *     answer
     */
    public record Identity(
            String kind,
            String group,
            int rank,
            int groupSize,
            @JsonSetter(nulls = Nulls.AS_EMPTY) String pool,
            @JsonSetter(nulls = Nulls.AS_EMPTY) String workerType,
            @JsonSetter(nulls = Nulls.AS_EMPTY) String model,
            boolean updateWeights) {}

    /**
     * What runs, and where.
     *
     * @param nodeId Ray's id of its node
     * @param nodeIp the node's address
     * @param pid the engine's or router's process id, or null when none runs
     * @param workerPid the process id of the actor's JVM
     * @param devices the accelerators that the engine sees
     * @param log the log file on that node, or null before the first start
     * @param secondsToReady how long the start took, or null
     * @param parts the further parts of an engine that spans nodes; empty for all others
     */
    public record ProcessPart(
            String nodeId,
            String nodeIp,
            @Nullable Long pid,
            long workerPid,
            List<String> devices,
            @Nullable String log,
            @Nullable Double secondsToReady,
            @JsonSetter(nulls = Nulls.AS_EMPTY) List<Part> parts) {
        /** Copies the lists. */
        public ProcessPart {
            devices = List.copyOf(devices);
            parts = List.copyOf(parts);
        }
    }

    /**
     * A further part of an engine that spans nodes. What is null is not known at the moment.
     *
     * @param part its number, SGLang's {@code node_rank}
     * @param nodeIp its node's address
     * @param pid its process, or null
     * @param workerPid the process id of its actor's JVM, or null
     * @param devices the accelerators that it sees
     * @param log its log file on that node, or null
     */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    public record Part(
            int part,
            String nodeIp,
            @Nullable Long pid,
            @Nullable Long workerPid,
            List<String> devices,
            @Nullable String log) {
        /** Copies the list. */
        public Part {
            devices = List.copyOf(devices);
        }
    }

    /**
     * What went wrong, and how often it came back.
     *
     * @param failure why it is in state FAILED, or null
     * @param since since when it is in this state, ISO 8601 in UTC; null before it was ready for the first time
     * @param restarts how often it came back after its first start
     * @param lastError the last thing that went wrong, also when it was healed since; or null
     * @param probes how many probes there were since the worker's own process began
     * @param forkServerSince since when there is a process that the engine's starts are forked from, ISO 8601 in UTC; null where there is none
     */
    public record SupervisionPart(
            @Nullable String failure,
            @Nullable String since,
            int restarts,
            @Nullable String lastError,
            long probes,
            @Nullable String forkServerSince) {}

    /**
     * What it serves with, and what holds it back.
     *
     * @param weightVersion the version of the engine's weights, or null when that is not known; a router's is its fleet's, null
     *     before the first update
     * @param conditions what holds it back at the moment, in words: memory released, generation paused, weights being replaced,
     *     why it cannot have its fleet's weights; also that it computes on the CPU, and why it cannot be forked
     * @param changes a router's arguments that were changed since its launch; null inside for the router's own default
     */
    public record ServicePart(@Nullable String weightVersion, List<String> conditions, Map<String, Object> changes) {
        /** Nothing is known of it. */
        public static final ServicePart UNKNOWN = new ServicePart(null, List.of(), Map.of());

        /** Copies list and map. */
        public ServicePart {
            conditions = List.copyOf(conditions);
            changes = Collections.unmodifiableMap(new LinkedHashMap<>(changes));
        }
    }
}
