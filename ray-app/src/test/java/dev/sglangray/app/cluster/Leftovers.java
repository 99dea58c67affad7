/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * Looks for what a fleet may have left on a cluster: processes, actors, placement groups, shared memory.
 *
 * <p>Ports need no look of their own: none of the node's network namespace can be open without a process of its pid
 * namespace, and those are all accounted for.
 */
final class Leftovers {

    /** Ray itself takes seconds to notice a dead driver and to end its workers. */
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final TestCluster cluster;

    Leftovers(TestCluster cluster) {
        this.cluster = cluster;
    }

    void assertNone() {
        AtomicReference<String> found = new AtomicReference<>("");
        try {
            Awaitility.await("nothing left on the cluster")
                    .atMost(DEADLINE)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> {
                        assertClusterLives();
                        List<String> left = find();
                        found.set(String.join("\n  ", left));
                        return left.isEmpty();
                    });
        } catch (ConditionTimeoutException late) {
            throw new AssertionError(
                    "left on the cluster " + DEADLINE.toSeconds() + " s later:\n  " + found.get(), late);
        }
    }

    /** Checks that the head's GCS and every raylet are the ones that the cluster started with. */
    void assertClusterLives() {
        Set<Long> alive = cluster.processes().stream()
                .filter(row -> !row.isZombie())
                .map(ProcessRow::pid)
                .collect(Collectors.toSet());
        List<ProcessRow> gone = cluster.baseline().stream()
                .filter(row -> RayProcesses.isGcs(row) || RayProcesses.isRaylet(row))
                .filter(row -> !alive.contains(row.pid()))
                .toList();
        if (!gone.isEmpty()) {
            throw new AssertionError("somebody stopped the cluster, these have ended: " + gone);
        }
    }

    List<String> find() {
        List<String> found = new ArrayList<>();
        Set<Long> before = cluster.baseline().stream().map(ProcessRow::pid).collect(Collectors.toSet());
        cluster.processes().stream()
                .filter(row -> !before.contains(row.pid()) && !RayProcesses.comesAndGoes(row))
                .forEach(row -> found.add("process " + row));
        for (JsonNode actor : cluster.actors()) {
            if (!actor.path("state").asText().equals("DEAD")) {
                found.add("actor " + actor);
            }
        }
        for (JsonNode group : cluster.placementGroups()) {
            if (!group.path("state").asText().equals("REMOVED")) {
                found.add("placement group " + group);
            }
        }
        cluster.sharedMemory().stream()
                .filter(segment -> !cluster.sharedMemoryBefore().contains(segment))
                .forEach(segment -> found.add("shared memory " + segment));
        return found;
    }
}
