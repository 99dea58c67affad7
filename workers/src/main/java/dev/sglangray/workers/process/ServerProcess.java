/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.LogTail;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** One process from start to end, without Ray: what engines and routers have in common. Safe for use by many threads. */
public interface ServerProcess {

    /**
     * Starts it and waits until it is healthy; a failed start leaves nothing. Once only.
     *
     * @param exits learns when it ends by itself after it was ready
     * @return the URL
     * @throws WorkerFailure with the words of what failed
     */
    String start(ExitListener exits);

    /** Where it serves, once it does. */
    String url();

    /** Whether it runs and answers. */
    boolean isHealthy();

    /** The last lines of its log. */
    String logTail(int lines);

    /** Ends the whole tree: SIGTERM, after the grace SIGKILL. Aborts a start. Harmless when repeated. */
    void shutdown(Duration grace);

    /** All that can be said at this moment. */
    Snapshot snapshot();

    /**
     * A consistent look at a process.
     *
     * @param url where it serves or will; null before its first attempt to start
     * @param pid null while no child runs
     * @param log null before a child was started
     * @param secondsToReady how long the start took; null before it was ready
     * @param failure why it failed, or null
     * @param bootstrapPort where a prefill engine serves its decoders, or null
     * @param conditions what holds it back or makes its starts slow, in words
     * @param parts the further parts of an engine that spans nodes; empty for all others
     * @param forkServerSince since when there is a process that its starts are forked from, or null
     */
    record Snapshot(
            WorkerState state,
            @Nullable String url,
            @Nullable Long pid,
            @Nullable Path log,
            @Nullable Double secondsToReady,
            @Nullable String failure,
            @Nullable Integer bootstrapPort,
            List<String> conditions,
            List<WorkerStatus.Part> parts,
            @Nullable Instant forkServerSince) {
        /**
         * A piece of the log.
         *
         * @param from where an earlier piece ended; null for the last lines
         * @param lines how many of the last lines
         * @throws WorkerFailure when the log cannot be read
         */
        public LogTail.Piece logPiece(LogTail.@Nullable Position from, int lines) {
            if (log == null) {
                return LogTail.Piece.NONE;
            }
            try {
                return from == null ? LogTail.tail(log, lines) : LogTail.after(log, from);
            } catch (IOException | RuntimeException e) {
                throw new WorkerFailure("the log " + log + " cannot be read: " + e);
            }
        }
    }
}
