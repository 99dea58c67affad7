/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Duration;

/**
 * How a worker looks after its process. Immutable; travels as JSON, hence the plain numbers.
 *
 * @param restart which ends are answered with a new start
 * @param maxRestarts so many restarts within the window, then the worker gives up; 0 and up
 * @param restartWindowSeconds the window, above 0
 * @param backoffInitialSeconds the wait before the second restart of a window, less the time that the process served; the first is at once;
 *     0 and up
 * @param backoffMaxSeconds the longest wait; it doubles up to here
 * @param probe how liveness is found out
 * @param probeIntervalSeconds from one answer to the next probe, above 0
 * @param probeTimeoutSeconds how long an answer may take, above 0; SGLang itself answers a stuck generation after 20 s
 * @param probeFailures so many failures in a row count as dead, 1 and up
 * @param onDegraded what the loss of an engine means for its fleet
 * @param onNodeLoss what becomes of the engines of a node that is gone
 * @param nodeLossSeconds how long a node is gone until that, 0 and up
 */
public record SupervisionPolicy(
        RestartMode restart,
        int maxRestarts,
        double restartWindowSeconds,
        double backoffInitialSeconds,
        double backoffMaxSeconds,
        ProbeKind probe,
        double probeIntervalSeconds,
        double probeTimeoutSeconds,
        int probeFailures,
        OnDegraded onDegraded,
        OnNodeLoss onNodeLoss,
        double nodeLossSeconds) {

    /** For production: all that ends is started again, 5 times in 10 minutes; a stuck engine is found in about 2 minutes. */
    public static final SupervisionPolicy DEFAULT = new SupervisionPolicy(
            RestartMode.ALWAYS,
            5,
            600,
            1,
            60,
            ProbeKind.GENERATE,
            15,
            25,
            3,
            OnDegraded.CONTINUE,
            OnNodeLoss.REPLAN,
            30);

    /** As {@link #DEFAULT}, but nothing is started again. */
    public static final SupervisionPolicy NEVER = new SupervisionPolicy(
            RestartMode.NEVER, 5, 600, 1, 60, ProbeKind.NONE, 15, 25, 3, OnDegraded.CONTINUE, OnNodeLoss.WAIT, 30);

    /** Checks the numbers; a wrong one is an {@link IllegalArgumentException} that names its key. */
    public SupervisionPolicy {
        require(maxRestarts >= 0, "max_restarts must be 0 or more, not " + maxRestarts);
        require(restartWindowSeconds > 0, "restart_window_s must be above 0, not " + restartWindowSeconds);
        require(backoffInitialSeconds >= 0, "backoff_initial_s must be 0 or more, not " + backoffInitialSeconds);
        require(
                backoffMaxSeconds >= backoffInitialSeconds,
                "backoff_max_s must not be below backoff_initial_s (" + backoffInitialSeconds + "), but is "
                        + backoffMaxSeconds);
        require(probeIntervalSeconds > 0, "probe_interval_s must be above 0, not " + probeIntervalSeconds);
        require(probeTimeoutSeconds > 0, "probe_timeout_s must be above 0, not " + probeTimeoutSeconds);
        require(nodeLossSeconds >= 0, "node_loss_s must be 0 or more, not " + nodeLossSeconds);
        require(probeFailures >= 1, "probe_failures must be 1 or more, not " + probeFailures);
    }

    private static void require(boolean fine, String message) {
        if (!fine) {
            throw new IllegalArgumentException(message);
        }
    }

    /** Whether anything is started again. */
    public boolean heals() {
        return restart != RestartMode.NEVER;
    }

    /** Whether engines of a node that is gone start elsewhere. */
    public boolean replans() {
        return heals() && onNodeLoss == OnNodeLoss.REPLAN;
    }

    /** How long a node is gone until its engines start elsewhere. */
    public Duration nodeLoss() {
        return seconds(nodeLossSeconds);
    }

    Duration restartWindow() {
        return seconds(restartWindowSeconds);
    }

    Duration backoffInitial() {
        return seconds(backoffInitialSeconds);
    }

    Duration backoffMax() {
        return seconds(backoffMaxSeconds);
    }

    Duration probeInterval() {
        return seconds(probeIntervalSeconds);
    }

    /** How long an answer may take. */
    public Duration probeTimeout() {
        return seconds(probeTimeoutSeconds);
    }

    private static Duration seconds(double seconds) {
        return Duration.ofMillis(Math.round(seconds * 1000));
    }
}
