/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.SupervisionPhase;
import dev.sglangray.workers.supervision.SupervisionStatus;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Puts a worker's status together. */
public final class WorkerStatuses {
    private WorkerStatuses() {}

    public static WorkerStatus of(
            String kind,
            String group,
            int rank,
            int groupSize,
            WorkerNode node,
            List<String> devices,
            HttpServerProcess.Snapshot now) {
        return new WorkerStatus(
                kind,
                group,
                rank,
                groupSize,
                now.state().name(),
                now.url(),
                node.nodeId(),
                node.ip(),
                now.pid(),
                ProcessHandle.current().pid(),
                devices,
                now.log() == null ? null : now.log().toString(),
                now.secondsToReady(),
                now.failure(),
                null,
                0,
                now.failure(),
                null,
                List.of(),
                Map.of());
    }

    /**
     * With how the process stands with its supervision, once it has one.
     *
     * @param withheld whether requests are kept away although it serves
     * @param conditions what holds it back, in words
     */
    public static WorkerStatus supervised(
            WorkerStatus own,
            SupervisionStatus standing,
            @Nullable String url,
            boolean withheld,
            List<String> conditions) {
        SupervisionPhase condition = standing.condition();
        if (condition instanceof SupervisionPhase.Idle) {
            return own;
        }
        boolean lost = condition instanceof SupervisionPhase.Lost;
        return new WorkerStatus(
                own.kind(),
                own.group(),
                own.rank(),
                own.groupSize(),
                state(standing, withheld),
                url == null ? own.url() : url,
                own.nodeId(),
                own.nodeIp(),
                own.pid(),
                own.workerPid(),
                own.devices(),
                own.log(),
                own.secondsToReady(),
                lost ? ((SupervisionPhase.Lost) condition).why() : null,
                standing.since().truncatedTo(ChronoUnit.MILLIS).toString(),
                standing.restarts(),
                standing.lastError(),
                own.weightVersion(),
                Stream.concat(own.conditions().stream(), conditions.stream()).toList(),
                own.changes());
    }

    private static String state(SupervisionStatus standing, boolean withheld) {
        if (standing.condition() instanceof SupervisionPhase.Lost) {
            return WorkerState.FAILED.name();
        }
        if (standing.condition() instanceof SupervisionPhase.Serving) {
            return (withheld ? WorkerState.DRAINED : WorkerState.READY).name();
        }
        return WorkerState.RESTARTING.name();
    }
}
