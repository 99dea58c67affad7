/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.AttemptResult;
import dev.sglangray.client.RequestTimeoutException;
import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.Failures;
import dev.sglangray.client.internal.http.HttpAnswer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One call with its retries; used once. Failures of earlier attempts are suppressed under the last one's. */
final class RetryingCall {
    private final Caller caller;
    private final CallSpec call;
    private final CompletableFuture<HttpAnswer> result = new CompletableFuture<>();
    private final List<Throwable> earlier = new ArrayList<>();
    private final RetryPolicy retries;
    private volatile @Nullable CompletableFuture<HttpAnswer> current;
    private volatile @Nullable BaseUrl server;
    private volatile boolean over;

    RetryingCall(Caller caller, CallSpec call) {
        this.caller = caller;
        this.call = call;
        this.retries = new RetryPolicy(caller, call);
    }

    /** Starts it. Cancelling the future cancels the attempt under way and those to come, and aborts what the engine does. */
    CompletableFuture<HttpAnswer> start() {
        attempt();
        Futures.onEnd(result, (answer, failure) -> {
            if (!over) {
                // Whose thread this is, the JVM's timer for example, is not known; listeners and interceptors may run
                // now.
                caller.transport().after(Duration.ZERO, this::giveUp);
            }
        });
        return result;
    }

    /** The caller has ended the future. */
    private void giveUp() {
        cancelCurrent();
        BaseUrl asked = server;
        if (asked != null) {
            caller.abort(asked, call);
        }
    }

    private void attempt() {
        if (result.isDone()) {
            return;
        }
        // An Error is caught too: on a transport's thread it would be lost.
        CallAttempt attempt;
        try {
            attempt = retries.begin(call.contentType());
        } catch (Throwable e) {
            fail(e);
            return;
        }
        CompletableFuture<HttpAnswer> sent;
        try {
            sent = WholeAnswer.send(caller.transport(), caller.options(), attempt.http());
        } catch (Throwable e) {
            attempt.end(0, 0, e);
            fail(e);
            return;
        }
        server = attempt.server();
        current = sent;
        if (result.isDone()) {
            // Cancelled between the check above and the assignment.
            cancelCurrent();
        }
        Futures.onEnd(sent, (answer, failure) -> {
            try {
                finished(attempt, answer, failure);
            } catch (Throwable e) {
                fail(e);
            }
        });
    }

    private void fail(Throwable reason) {
        over = true;
        result.completeExceptionally(reason);
    }

    private void finished(CallAttempt attempt, @Nullable HttpAnswer answer, @Nullable Throwable failure) {
        if (!result.isDone()) {
            server = null;
        }
        Throwable reason = failure;
        if (answer != null && !answer.head().isSuccess()) {
            reason = Failures.status(caller.options(), attempt.http(), answer);
        }
        AttemptResult ended = attempt.end(
                answer == null ? 0 : answer.head().status(), answer == null ? 0 : answer.body().length, reason);
        if (reason == null && answer != null) {
            caller.budget().succeeded();
            over = true;
            result.complete(answer);
        } else if (reason != null) {
            failed(attempt, ended, reason);
        }
    }

    private void failed(CallAttempt attempt, AttemptResult ended, Throwable reason) {
        if (reason instanceof RequestTimeoutException) {
            caller.abort(attempt.server(), call);
        }
        Optional<Duration> pause = retries.afterFailure(attempt, reason, !result.isDone());
        if (pause.isPresent()) {
            earlier.add(reason);
            attempt.retried(ended, pause.get());
            caller.transport().after(pause.get(), this::attempt);
        } else {
            earlier.forEach(reason::addSuppressed);
            fail(reason);
        }
    }

    private void cancelCurrent() {
        CompletableFuture<HttpAnswer> sent = current;
        if (sent != null) {
            sent.cancel(true);
        }
    }
}
