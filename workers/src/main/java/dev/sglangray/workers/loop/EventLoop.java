/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/**
 * Runs tasks one at a time, in the order in which they come. State that only tasks of one loop touch needs no lock. A task must
 * not block; a task that throws ends only itself. {@link ThreadLoop} is the real one; the simulation has its own, with a clock of
 * its own.
 */
public interface EventLoop {
    /** The time by this loop's clock. */
    Instant now();

    /** Runs a task later, from any thread. Ignored after the loop's end. */
    void execute(Runnable task);

    /** Runs a task after a delay of zero or more, from any thread. Ignored after the loop's end. */
    Timer schedule(Duration delay, Runnable task);

    /** A task that waits for its time. */
    interface Timer {
        /** The task does not run any more, unless it does so already. */
        void cancel();
    }

    /**
     * The same future with a deadline. Call it on the loop.
     *
     * @param late the failure when the time is over
     */
    default <T> CompletableFuture<T> within(
            Duration timeout, CompletableFuture<T> future, Supplier<? extends RuntimeException> late) {
        CompletableFuture<T> bounded = new CompletableFuture<>();
        Timer timer = schedule(timeout, () -> bounded.completeExceptionally(late.get()));
        CompletableFuture<T> unused = future.whenComplete((value, failure) -> {
            timer.cancel();
            if (failure == null) {
                bounded.complete(value);
            } else {
                bounded.completeExceptionally(unwrapped(failure));
            }
        });
        return bounded;
    }

    /** A future that completes after a delay, on this loop. */
    default CompletableFuture<Void> after(Duration delay) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        schedule(delay, () -> done.complete(null));
        return done;
    }

    /** The failure itself, without the wrappers that chained futures put around it. */
    static Throwable unwrapped(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** The words of a failure. */
    static String words(Throwable failure) {
        Throwable cause = unwrapped(failure);
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }
}
