/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.config.thread.Threads;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.registry.EngineRegistry.Registration;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** A driver's wait for one registration: it asks again and again, so that no thread of the router's worker waits. For one use. */
final class RegistrationWait {
    private static final long FIRST_PAUSE_MS = 25;
    /** A router worker that is being replaced by Ray answers nothing for some seconds. */
    private static final Duration SILENCE = Duration.ofMinutes(1);

    private static final Turns TURNS = new Turns(() -> System.nanoTime() / 1_000_000);
    private static final Executor THREADS = Threads.pool("sglang-ray-registration", 8, 8, new LinkedBlockingQueue<>());

    private final RouterGroup router;
    private final ServerEndpoint endpoint;
    private final Duration timeout;
    private final long longestPauseMs;
    private final CompletableFuture<RegisteredServer> done = new CompletableFuture<>();
    private final long end;
    private long silentSince = -1;

    RegistrationWait(RouterGroup router, ServerEndpoint endpoint, Duration timeout, Duration pollInterval) {
        this.router = router;
        this.endpoint = endpoint;
        this.timeout = timeout;
        this.longestPauseMs = Math.max(1, pollInterval.toMillis());
        this.end = System.nanoTime() + timeout.toNanos();
    }

    CompletableFuture<RegisteredServer> begin() {
        register(Math.min(longestPauseMs, FIRST_PAUSE_MS));
        return done;
    }

    private void register(long pause) {
        CompletableFuture<Void> unused = router.register(ProtocolJson.write(endpoint))
                .handle((key, failure) -> {
                    if (failure == null) {
                        silentSince = -1;
                        look(key, Math.min(longestPauseMs, FIRST_PAUSE_MS), "the router has not been asked yet");
                    } else if (isSilentForLong()) {
                        done.completeExceptionally(failure);
                    } else {
                        later(pause, () -> register(Math.min(longestPauseMs, pause * 2)));
                    }
                    return null;
                });
    }

    private boolean isSilentForLong() {
        long now = System.nanoTime();
        if (silentSince < 0) {
            silentSince = now;
        }
        return now - silentSince > SILENCE.toNanos() || now - end > 0;
    }

    private void look(String key, long pause, String last) {
        if (System.nanoTime() - end > 0) {
            giveUp(last);
            return;
        }
        CompletableFuture<Void> unused = router.registration(key).handle((found, failure) -> {
            if (failure != null) {
                if (isSilentForLong()) {
                    done.completeExceptionally(failure);
                } else {
                    later(pause, () -> look(key, Math.min(longestPauseMs, pause * 2), last));
                }
                return null;
            }
            silentSince = -1;
            if (found.state() == Registration.State.LISTED) {
                done.complete(found.server());
            } else if (found.state() == Registration.State.GONE) {
                done.completeExceptionally(failed(endpoint.url() + " is not registered any more"));
            } else if (found.state() == Registration.State.REFUSED) {
                end(found.detail());
            } else {
                later(pause, () -> look(key, Math.min(longestPauseMs, pause * 2), found.detail()));
            }
            return null;
        });
    }

    private void giveUp(String last) {
        end("the router did not send to " + endpoint.url() + " within " + timeout.toSeconds() + " s: " + last);
    }

    /** Nothing is left of a registration that failed. */
    private void end(String why) {
        CompletableFuture<?> unregistered = router.giveUp(endpoint.url()).toCompletableFuture();
        CompletableFuture<Void> unused = unregistered.handle((was, failure) -> {
            done.completeExceptionally(failed(why));
            return null;
        });
    }

    private WorkerException failed(String why) {
        return WorkerException.of(router.name(), 0, "", "registerServer", new WorkerFailure(why));
    }

    private static void later(long millis, Runnable task) {
        // Not on the timer itself, which the whole JVM shares: to submit a call may block while Ray has no control
        // store.
        CompletableFuture.delayedExecutor(Math.max(millis, TURNS.next()), TimeUnit.MILLISECONDS, THREADS)
                .execute(task);
    }

    /** Gives out moments that are a millisecond apart: all waits together ask a thousand times a second at most. */
    static final class Turns {
        private final LongSupplier millis;
        private long free = Long.MIN_VALUE;

        Turns(LongSupplier millis) {
            this.millis = millis;
        }

        /** How long to wait for the next moment, in milliseconds. */
        synchronized long next() {
            long now = millis.getAsLong();
            long turn = Math.max(now, free);
            free = turn + 1;
            return turn - now;
        }
    }
}
