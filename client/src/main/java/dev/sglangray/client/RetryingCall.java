/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One call with its retries; used once. Failures of earlier attempts are suppressed under the last one's. */
final class RetryingCall {
    private final HttpTransport transport;
    private final RetryPolicy policy;
    private final HttpCall call;
    private final CompletableFuture<String> result = new CompletableFuture<>();
    private final List<Throwable> earlier = new ArrayList<>();
    private volatile @Nullable CompletableFuture<String> current;

    private RetryingCall(HttpTransport transport, RetryPolicy policy, HttpCall call) {
        this.transport = transport;
        this.policy = policy;
        this.call = call;
    }

    /** Starts it. Cancelling the future cancels the attempt under way and those to come. */
    static CompletableFuture<String> start(HttpTransport transport, RetryPolicy policy, HttpCall call) {
        RetryingCall retrying = new RetryingCall(transport, policy, call);
        Futures.onEnd(retrying.result, (body, failure) -> {
            if (failure != null) {
                retrying.cancelCurrent();
            }
        });
        retrying.attempt();
        return retrying.result;
    }

    private void attempt() {
        if (result.isDone()) {
            return;
        }
        CompletableFuture<String> sent = transport.send(call);
        current = sent;
        if (result.isDone()) {
            // Cancelled between the check above and the assignment.
            cancelCurrent();
        }
        Futures.onEnd(sent, this::finished);
    }

    private void finished(@Nullable String body, @Nullable Throwable failure) {
        if (failure == null) {
            result.complete(body);
            return;
        }
        int attempts = earlier.size() + 1;
        if (policy.allows(attempts, failure)) {
            earlier.add(failure);
            long pause = policy.pauseAfter(attempts).toMillis();
            CompletableFuture.delayedExecutor(pause, TimeUnit.MILLISECONDS, Runnable::run)
                    .execute(this::attempt);
        } else {
            earlier.forEach(failure::addSuppressed);
            result.completeExceptionally(failure);
        }
    }

    private void cancelCurrent() {
        CompletableFuture<String> sent = current;
        if (sent != null) {
            sent.cancel(true);
        }
    }
}
