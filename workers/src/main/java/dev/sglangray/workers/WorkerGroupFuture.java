/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.loop.EventLoop;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * The answers of a group's workers to one call, in rank order. RLinf's {@code handle.wait()} is {@link #await()} here:
 * {@code Object.wait()} is something else, cannot be overridden, and compiles.
 *
 * <p>Fails as soon as one worker fails; later failures are added to the first as suppressed. All failures are
 * unchecked. Immutable and safe for use by many threads.
 *
 * @param <T> what each worker answers
 */
public final class WorkerGroupFuture<T> {
    private final String group;
    private final String method;
    private final List<Integer> ranks;
    private final List<CompletableFuture<T>> answers;
    private final CompletableFuture<List<T>> all;

    /** One future per rank, in rank order, each failing with a {@link WorkerException} if at all. */
    WorkerGroupFuture(String group, String method, List<Integer> ranks, List<CompletableFuture<T>> answers) {
        this.group = group;
        this.method = method;
        this.ranks = List.copyOf(ranks);
        this.answers = List.copyOf(answers);
        this.all = combine(this.answers);
    }

    private static <T> CompletableFuture<List<T>> combine(List<CompletableFuture<T>> answers) {
        CompletableFuture<List<T>> all = new CompletableFuture<>();
        FirstFailure first = new FirstFailure();
        answers.forEach(answer -> answer.exceptionally(failure -> {
            all.completeExceptionally(first.add(failure));
            return null;
        }));
        var unused = CompletableFuture.allOf(answers.toArray(CompletableFuture<?>[]::new))
                .thenRun(() -> all.complete(
                        answers.stream().map(CompletableFuture::join).toList()));
        return all;
    }

    private static final class FirstFailure {
        private final List<Throwable> seen = new ArrayList<>();

        synchronized Throwable add(Throwable wrapped) {
            Throwable failure = EventLoop.unwrapped(wrapped);
            if (seen.isEmpty()) {
                seen.add(failure);
            } else if (seen.get(0) != failure
                    && !List.of(seen.get(0).getSuppressed()).contains(failure)) {
                seen.get(0).addSuppressed(failure);
            }
            return seen.get(0);
        }
    }

    /**
     * Waits for all, without an end of its own: each remote method has its deadline, and a dead actor fails its call.
     *
     * @return one answer per worker, in rank order
     * @throws WorkerException the first failure
     * @throws WorkerInterruptedException when this thread is interrupted; the flag stays set
     */
    public List<T> await() {
        try {
            return all.get();
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (ExecutionException e) {
            throw failure(e);
        }
    }

    /**
     * Waits for all, but not longer than this. A timeout cancels nothing: waiting again is possible.
     *
     * @throws WorkerTimeoutException when the time is over; it names the ranks that are missing
     * @throws WorkerException the first failure
     */
    public List<T> await(Duration timeout) {
        try {
            return all.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (ExecutionException e) {
            throw failure(e);
        } catch (TimeoutException e) {
            throw new WorkerTimeoutException(group, method, timeout, missing());
        }
    }

    /**
     * The answer of the first worker, as RLinf's {@code .wait()[0]}; waits for all.
     *
     * @throws IllegalStateException when the call went to no worker
     */
    public T awaitSingle() {
        List<T> values = await();
        if (values.isEmpty()) {
            throw new IllegalStateException(group + ": " + method + " was called on no worker.");
        }
        return values.get(0);
    }

    /** Whether all have answered or one has failed. */
    public boolean isDone() {
        return all.isDone();
    }

    /** A future for other code to chain on; completing or cancelling it does nothing here. Runs chained code elsewhere. */
    public CompletableFuture<List<T>> toCompletableFuture() {
        return all.thenApplyAsync(Function.identity());
    }

    /** As {@link #toCompletableFuture()}, of the first worker. */
    CompletableFuture<T> first() {
        return toCompletableFuture().thenApply(values -> values.get(0));
    }

    /** The same call with every answer put through a function that must not block. */
    <R> WorkerGroupFuture<R> map(Function<? super T, ? extends R> function) {
        List<CompletableFuture<R>> mapped = new ArrayList<>();
        answers.forEach(a -> mapped.add(a.thenApply(function)));
        return new WorkerGroupFuture<>(group, method, ranks, mapped);
    }

    private List<Integer> missing() {
        List<Integer> missing = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            if (!answers.get(i).isDone()) {
                missing.add(ranks.get(i));
            }
        }
        return missing;
    }

    private WorkerInterruptedException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new WorkerInterruptedException(group, method, e);
    }

    private RuntimeException failure(ExecutionException e) {
        Throwable cause = e.getCause();
        return cause instanceof RuntimeException known
                ? known
                : new WorkerException(group, -1, "", method, String.valueOf(cause), cause);
    }

    @Override
    public String toString() {
        return "WorkerGroupFuture[" + group + "." + method + " " + Arrays.toString(ranks.toArray()) + "]";
    }
}
