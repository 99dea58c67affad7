/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Runs what has to wait on a transport's own threads: on the timer that the JVM shares, an interceptor or listener could hold up every
 * timeout of the program. Thread-safe.
 */
public final class DelayedTasks {
    private final ScheduledExecutorService timer;
    private final Executor threads;
    private final Set<Pause> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    public DelayedTasks(ScheduledExecutorService timer, Executor threads) {
        this.timer = timer;
        this.threads = threads;
    }

    public void after(Duration pause, Runnable action) {
        Pause waiting = new Pause(action);
        open.add(waiting);
        if (closed || pause.isZero()) {
            end(waiting);
            return;
        }
        try {
            var unused = timer.schedule(() -> end(waiting), pause.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            end(waiting);
        }
    }

    /** Runs what still waits; what comes later does not wait. */
    public void close() {
        closed = true;
        open.forEach(this::end);
    }

    private void end(Pause waiting) {
        if (!open.remove(waiting)) {
            return;
        }
        try {
            threads.execute(waiting.action);
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            // Closed, or no more threads: a call must end all the same.
            waiting.action.run();
        }
    }

    /** Each is its own, whatever it runs. */
    private static final class Pause {
        private final Runnable action;

        Pause(Runnable action) {
            this.action = action;
        }
    }
}
