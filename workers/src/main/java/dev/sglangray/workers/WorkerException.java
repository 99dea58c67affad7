/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.ray.RemoteFailures;
import org.jspecify.annotations.Nullable;

/**
 * A call of a worker group that failed, as the driver sees it. The message names group, rank, node, method and the
 * worker's own words; failures of other ranks are {@linkplain #getSuppressed() suppressed} under the first.
 */
public class WorkerException extends RuntimeException {
    private final String group;
    private final int rank;
    private final String node;
    private final String method;

    /**
     * Makes one for a rank.
     *
     * @param group the group's name
     * @param rank the rank, or -1 when it concerns the whole group
     * @param node the worker's node, or an empty text when unknown
     * @param method the method that was called
     * @param reason what happened
     * @param cause what Ray or the worker threw, or null
     */
    public WorkerException(
            String group, int rank, String node, String method, String reason, @Nullable Throwable cause) {
        super(text(group, rank, node, method, reason), cause);
        this.group = group;
        this.rank = rank;
        this.node = node;
        this.method = method;
    }

    /** What a remote call threw, as an exception of this kind; one that is of this kind already stays. */
    public static WorkerException of(String group, int rank, String node, String method, Throwable thrown) {
        Throwable failure = EventLoop.unwrapped(thrown);
        return failure instanceof WorkerException known
                ? known
                : new WorkerException(group, rank, node, method, RemoteFailures.reason(failure), failure);
    }

    private static String text(String group, int rank, String node, String method, String reason) {
        return group
                + (rank < 0 ? "" : " rank " + rank)
                + (node.isEmpty() ? "" : " on node " + node)
                + ": " + method + " failed: " + reason;
    }

    /** The group's name. */
    public String group() {
        return group;
    }

    /** The rank that failed, or -1 when the failure is not one rank's. */
    public int rank() {
        return rank;
    }

    /** The worker's node; empty when it is unknown, or the failure is not one rank's. */
    public String node() {
        return node;
    }

    /** The method that was called. */
    public String method() {
        return method;
    }
}
