/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.InferenceException;
import dev.sglangray.client.RequestCancelledException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What {@link CompletableFuture} lacks: cancelling backwards, and waiting with our exceptions. */
public final class Futures {
    private Futures() {}

    /** Runs {@code action} when the future has ended; it must not throw. */
    public static <T> void onEnd(CompletableFuture<T> future, BiConsumer<@Nullable T, @Nullable Throwable> action) {
        var unused = future.whenComplete(action);
    }

    /** As {@code thenApply}, but failures are not wrapped and ending the result early cancels {@code source}. */
    static <T, R> CompletableFuture<R> map(
            CompletableFuture<T> source, Function<T, R> function, @Nullable Executor executor) {
        CompletableFuture<R> result = new CompletableFuture<>();
        BiConsumer<@Nullable T, @Nullable Throwable> finish = (value, failure) -> {
            if (failure != null || value == null) {
                result.completeExceptionally(failure == null ? new IllegalStateException("no value") : failure);
                return;
            }
            try {
                result.complete(function.apply(value));
            } catch (RuntimeException | Error e) {
                result.completeExceptionally(e);
            }
        };
        if (executor == null) {
            onEnd(source, finish);
        } else {
            // Fails by itself where the executor refuses, which otherwise would be lost.
            onEnd(source.whenCompleteAsync(finish, executor), (value, failure) -> {
                if (failure != null) {
                    result.completeExceptionally(
                            new RequestCancelledException("the callbackExecutor took no answer", failure));
                }
            });
        }
        return cancelling(result, source);
    }

    /** Whether {@code source} succeeds; ending the result early cancels {@code source}. */
    public static CompletableFuture<Boolean> succeeds(CompletableFuture<?> source) {
        return cancelling(source.handle((value, failure) -> failure == null), source);
    }

    /** Whatever ends {@code result} before {@code source}, a cancel, a time-out or a value, cancels {@code source}. */
    static <R> CompletableFuture<R> cancelling(CompletableFuture<R> result, CompletableFuture<?> source) {
        onEnd(result, (value, failure) -> source.cancel(true));
        return result;
    }

    /**
     * Waits, however long it takes. An interrupt cancels the future.
     *
     * @throws InferenceException the future's failure, with the caller's stack trace
     * @throws RequestCancelledException if the thread was interrupted; its flag is set again
     */
    public static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get();
        } catch (InterruptedException e) {
            future.cancel(true);
            Thread.currentThread().interrupt();
            throw new RequestCancelledException("interrupted while waiting for the answer", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof InferenceException failure) {
                // Made on a transport thread, whose trace says nothing; what went wrong there is in its cause.
                failure.fillInStackTrace();
                throw failure;
            }
            throw new CompletionException(e.getCause());
        }
    }
}
