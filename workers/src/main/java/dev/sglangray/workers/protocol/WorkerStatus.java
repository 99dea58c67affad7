/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a worker says about itself. Travels as JSON.
 *
 * @param kind {@code server} or {@code router}
 * @param group the group's name
 * @param rank the rank in it
 * @param groupSize how many workers the group has
 * @param state {@code NEW}, {@code STARTING}, {@code READY}, {@code DRAINED} (runs, but gets no new requests), {@code
 *     RESTARTING} (is being replaced), {@code FAILED} (for good) or {@code STOPPED}
 * @param url where it serves, or null before it is known
 * @param nodeId Ray's id of its node
 * @param nodeIp the node's address
 * @param pid the engine's or router's process id, or null when none runs
 * @param workerPid the process id of the actor's JVM
 * @param devices the accelerators that the engine sees
 * @param log the log file on that node, or null before the first start
 * @param secondsToReady how long the start took, or null
 * @param failure why it is in state FAILED, or null
 * @param since since when it is in this state, ISO 8601 in UTC; null before it was ready for the first time
 * @param restarts how often it came back after its first start
 * @param lastError the last thing that went wrong, also when it was healed since; or null
 * @param weightVersion the version of the engine's weights, or null when that is not known; a router's is its fleet's, null
 *     before the first update
 * @param conditions what holds it back at the moment, in words: memory released, generation paused, weights being replaced,
 *     why it cannot have its fleet's weights; also that it computes on the CPU
 * @param changes a router's arguments that were changed since its launch; null inside for the router's own default
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
public record WorkerStatus(
        String kind,
        String group,
        int rank,
        int groupSize,
        String state,
        @Nullable String url,
        String nodeId,
        String nodeIp,
        @Nullable Long pid,
        long workerPid,
        List<String> devices,
        @Nullable String log,
        @Nullable Double secondsToReady,
        @Nullable String failure,
        @Nullable String since,
        int restarts,
        @Nullable String lastError,
        @Nullable String weightVersion,
        List<String> conditions,
        Map<String, Object> changes) {
    /** Copies the lists. */
    public WorkerStatus {
        devices = List.copyOf(devices);
        // An older worker does not tell them.
        conditions = conditions == null ? List.of() : List.copyOf(conditions);
        changes = changes == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(changes));
    }

    public WorkerStatus with(@Nullable String version, List<String> held) {
        return copy(groupSize, state, version, held, changes);
    }

    public WorkerStatus ofGroup(int size) {
        return copy(size, state, weightVersion, conditions, changes);
    }

    WorkerStatus inState(WorkerState other) {
        return copy(groupSize, other.name(), weightVersion, conditions, changes);
    }

    public WorkerStatus withChanges(Map<String, Object> changed) {
        return copy(groupSize, state, weightVersion, conditions, changed);
    }

    private WorkerStatus copy(
            int size, String otherState, @Nullable String version, List<String> held, Map<String, Object> changed) {
        return new WorkerStatus(
                kind,
                group,
                rank,
                size,
                otherState,
                url,
                nodeId,
                nodeIp,
                pid,
                workerPid,
                devices,
                log,
                secondsToReady,
                failure,
                since,
                restarts,
                lastError,
                version,
                held,
                changed);
    }
}
