/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.bridge.ProcessStartException;
import dev.sglangray.bridge.SupervisedProcess;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** How a worker starts its server. Safe for use by many threads. */
@FunctionalInterface
public interface ProcessStarter {
    /** As a program. */
    ProcessStarter PROGRAM = (process, abort) -> SupervisedProcess.start(process);

    /**
     * Starts a server and returns once its process runs.
     *
     * @param abort when complete, ends the wait before the process is started
     * @throws ProcessStartException when it cannot be started, or that was aborted; nothing is left then
     */
    SupervisedProcess start(ProcessSpec process, CompletableFuture<?> abort);

    /** A server that this has started is healthy. */
    default void trust(SupervisedProcess healthy) {}

    /** A server that this has started ended before it was healthy. Returns whether it would now be started in another way. */
    default boolean blame(SupervisedProcess ended) {
        return false;
    }

    /** Started in another way, the server that was blamed on this ended early too. */
    default void absolve() {}

    /** Why starts take longer than they should, in words for people; empty when they do not. */
    default Optional<String> fault() {
        return Optional.empty();
    }

    /** Since when there is a process that starts are forked from; empty where there is none. */
    default Optional<Instant> forkServerSince() {
        return Optional.empty();
    }

    /**
     * Waits for what the next start would wait for, and what needs no accelerator. May be left out.
     *
     * @param abort ends the wait when it is complete
     */
    default void prepare(CompletableFuture<?> abort) {}
}
