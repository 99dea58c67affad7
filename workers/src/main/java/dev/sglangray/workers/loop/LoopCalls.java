/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import dev.sglangray.workers.protocol.WorkerFailure;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Waits of a worker's own threads, those of Ray's calls, for its event loop. Stateless. */
public final class LoopCalls {
    /** What the loop answers within its deadline has this long for the way. */
    private static final Duration WAY = Duration.ofSeconds(5);

    private LoopCalls() {}

    /** The answer of the loop; fails with a {@link WorkerFailure}, an interrupt included, whose flag stays. */
    public static <T> T await(ThreadLoop loop, Duration timeout, Supplier<CompletableFuture<T>> question) {
        try {
            return loop.ask(question).get(timeout.plus(WAY).toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new WorkerFailure(EventLoop.words(e.getCause() == null ? e : e.getCause()));
        } catch (TimeoutException e) {
            throw new WorkerFailure("the worker did not do it within " + timeout.toSeconds() + " s");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the wait was interrupted");
        }
    }

    /** Waits for a future that has a deadline of its own, whatever comes of it; not ended by an interrupt. */
    public static void join(CompletableFuture<?> bounded) {
        Object unused = bounded.handle((value, failure) -> "").join();
    }
}
