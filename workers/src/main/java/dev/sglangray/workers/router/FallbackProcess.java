/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.router;

import dev.sglangray.workers.process.ExitListener;
import dev.sglangray.workers.process.ServerProcess;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A lifecycle with another to fall back on: when the trial does not start, the other does in the same place, so that its
 * caller sees one start. Safe for use by many threads.
 */
final class FallbackProcess implements ServerProcess {
    private final ServerProcess trial;
    private final Supplier<? extends ServerProcess> fallback;

    private final Object lock = new Object();
    private ServerProcess active;
    private @Nullable String failure;
    private boolean ended;

    /**
     * Starts nothing.
     *
     * @param fallback makes the other, should it be needed
     */
    FallbackProcess(ServerProcess trial, Supplier<? extends ServerProcess> fallback) {
        this.trial = trial;
        this.fallback = fallback;
        this.active = trial;
    }

    @Override
    public String start(ExitListener exits) {
        try {
            return trial.start(exits);
        } catch (WorkerFailure e) {
            return fallBack(e).start(exits);
        }
    }

    private ServerProcess fallBack(WorkerFailure why) {
        synchronized (lock) {
            if (ended) {
                throw why;
            }
            failure = why.getMessage();
            active = fallback.get();
            return active;
        }
    }

    /** Why the trial did not start, or ended since; empty while nothing is wrong with it. */
    Optional<String> failure() {
        synchronized (lock) {
            return Optional.ofNullable(failure == null ? trial.snapshot().failure() : failure);
        }
    }

    private ServerProcess active() {
        synchronized (lock) {
            return active;
        }
    }

    @Override
    public String url() {
        return active().url();
    }

    @Override
    public boolean isHealthy() {
        return active().isHealthy();
    }

    @Override
    public String logTail(int lines) {
        return active().logTail(lines);
    }

    @Override
    public void shutdown(Duration grace) {
        ServerProcess last;
        synchronized (lock) {
            ended = true;
            last = active;
        }
        // A trial that failed has cleaned up after itself.
        last.shutdown(grace);
    }

    @Override
    public Snapshot snapshot() {
        return active().snapshot();
    }
}
