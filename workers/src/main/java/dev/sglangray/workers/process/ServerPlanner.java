/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.workers.protocol.WorkerFailure;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What differs between the processes of engines and routers: how a start is made. Safe for use by many threads. */
interface ServerPlanner {
    /** The word for messages, {@code engine} or {@code router}. */
    String what();

    /** How long the server may take to become healthy. */
    Duration deadline();

    /** Takes its secrets out of texts. */
    SecretRedactor secrets();

    /**
     * Waits until the server may start, and keeps others from it.
     *
     * @param abort ends the wait when it is complete
     * @return what the caller runs when the start is over
     * @throws WorkerFailure when it may not start in time
     */
    default Runnable awaitTurn(CompletableFuture<?> abort) {
        return () -> {};
    }

    /** Whether a start that failed may be tried again by itself; else all parts of its engine must start again. */
    default boolean startsAlone() {
        return true;
    }

    /** The n-th attempt of the start, counted from 0, with ports of its own. */
    StartAttempt plan(int number);

    /** What holds the server back at the moment, in words. */
    default List<String> conditions() {
        return List.of();
    }
}
