/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import dev.sglangray.config.thread.Threads;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An event loop of one thread, with further threads for what blocks. All are daemons, and end when they have nothing to do for a
 * while, or at {@link #close()}. Safe for use by many threads.
 */
public final class ThreadLoop implements EventLoop, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ThreadLoop.class);

    private final InstantSource clock;
    private final ScheduledThreadPoolExecutor decides;
    private final ThreadPoolExecutor blocks;

    /**
     * A loop that waits for its first task.
     *
     * @param name the worker's name, for the threads {@code loop-<name>} and {@code act-<name>}
     */
    public ThreadLoop(String name, InstantSource clock) {
        this.clock = clock;
        decides = Threads.timer("loop-" + name);
        blocks = Threads.pool("act-" + name);
    }

    @Override
    public Instant now() {
        return clock.instant();
    }

    @Override
    public void execute(Runnable task) {
        try {
            decides.execute(() -> guarded(task));
        } catch (RejectedExecutionException e) {
            LOG.debug("A task came after the end of its loop");
        }
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
        try {
            // Rounded up: a timer must not fire before its time by the clock.
            Future<?> future = decides.schedule(
                    () -> guarded(task), Math.max(0, delay.toNanos() + 1_000_000), TimeUnit.NANOSECONDS);
            return () -> future.cancel(false);
        } catch (RejectedExecutionException e) {
            return () -> {};
        }
    }

    private static void guarded(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            LOG.error("A task of an event loop failed", e);
        }
    }

    /** Runs on this loop what needs an answer from it, from any thread. */
    public <T> CompletableFuture<T> ask(Supplier<CompletableFuture<T>> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        try {
            decides.execute(() -> {
                try {
                    CompletableFuture<T> unused = question.get().whenComplete((value, failure) -> {
                        if (failure == null) {
                            answer.complete(value);
                        } else {
                            answer.completeExceptionally(EventLoop.unwrapped(failure));
                        }
                    });
                } catch (Throwable e) {
                    answer.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(new IllegalStateException("the worker has ended", e));
        }
        return answer;
    }

    /** Runs something that may block on a thread of its own; the future completes on this loop, with any failure. */
    public <T> CompletableFuture<T> block(Supplier<T> deed) {
        return block(blocks, deed);
    }

    /** As {@link #block(Supplier)}, on threads of the caller's, for what there is much of at once. */
    public <T> CompletableFuture<T> block(Executor threads, Supplier<T> deed) {
        CompletableFuture<T> done = new CompletableFuture<>();
        try {
            threads.execute(() -> {
                try {
                    T value = deed.get();
                    execute(() -> done.complete(value));
                } catch (Throwable e) {
                    execute(() -> done.completeExceptionally(e));
                }
            });
        } catch (Throwable e) {
            // No thread could be made, or the loop has ended.
            execute(() -> done.completeExceptionally(e));
        }
        return done;
    }

    /** The same future, completed on this loop. */
    public <T> CompletableFuture<T> here(CompletableFuture<T> elsewhere) {
        CompletableFuture<T> done = new CompletableFuture<>();
        CompletableFuture<T> unused = elsewhere.whenComplete((value, failure) -> execute(() -> {
            if (failure == null) {
                done.complete(value);
            } else {
                done.completeExceptionally(EventLoop.unwrapped(failure));
            }
        }));
        return done;
    }

    /** Runs no further task and interrupts what blocks. Harmless when repeated. */
    @Override
    public void close() {
        decides.shutdown();
        blocks.shutdownNow();
    }
}
