/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.util.List;

/** Puts a worker's status together. */
final class Statuses {
    private Statuses() {}

    static WorkerStatus of(
            String kind,
            String group,
            int rank,
            int groupSize,
            WorkerNode node,
            List<String> devices,
            ServingChild.Snapshot now) {
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
                now.failure());
    }
}
