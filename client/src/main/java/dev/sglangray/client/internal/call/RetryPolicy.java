/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.CallOptions;
import dev.sglangray.client.ConnectionLostException;
import dev.sglangray.client.RequestTimeoutException;
import dev.sglangray.client.ServerStatusException;
import dev.sglangray.client.ServerUnreachableException;
import dev.sglangray.client.internal.http.BaseUrl;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * When to try again. As in RLinf, a refused, broken or silent connection and the statuses that a router gives while an engine comes or
 * goes, and the pause grows with each attempt. Beyond it: not what the server may have worked on, unless it is harmless or was asked
 * for; jitter; and {@code Retry-After}.
 */
public final class RetryPolicy {
    /** The router smg says so for a model that none of its engines has now, where sglang-router answers 503. */
    private static final String SMG_HAS_NO_ENGINE = "No worker available for model";

    private final Caller caller;
    private final CallSpec call;
    private final Set<BaseUrl> unreachable = new HashSet<>();
    private int attempts;

    /** For the attempts of one call, which follow each other. */
    public RetryPolicy(Caller caller, CallSpec call) {
        this.caller = caller;
        this.call = call;
    }

    /**
     * Begins the next attempt.
     *
     * @throws RuntimeException what an interceptor throws
     */
    public CallAttempt begin(String accept) {
        return CallAttempt.begin(
                caller.options(), caller.servers().take(unreachable, call.onlyAt()), call, accept, attempts + 1);
    }

    /**
     * The pause before the next attempt, or empty if this failure is the call's.
     *
     * @param wanted whether an answer still is
     */
    public Optional<Duration> afterFailure(CallAttempt attempt, Throwable failure, boolean wanted) {
        if (failure instanceof ServerUnreachableException && call.onlyAt() == null) {
            unreachable.add(attempt.server());
            if (unreachable.size() < caller.servers().size()) {
                return Optional.of(Duration.ZERO); // Nothing was sent: the next server is no retry.
            }
            unreachable.clear();
        }
        attempts++;
        return pause(call, attempts, failure)
                .filter(pause -> wanted && caller.budget().take());
    }

    /** The pause before the next attempt, or empty if there is to be none. */
    public static Optional<Duration> pause(CallSpec call, int attemptsMade, @Nullable Throwable failure) {
        CallOptions options = call.options();
        if (attemptsMade > options.maxRetries() || failure == null || !isRetryable(call, failure)) {
            return Optional.empty();
        }
        Duration grown = options.retryBackoff().multipliedBy(attemptsMade);
        Duration pause = jittered(grown.compareTo(options.maxRetryPause()) > 0 ? options.maxRetryPause() : grown);
        if (failure instanceof ServerStatusException answer
                && answer.retryAfter().isPresent()) {
            Duration wanted = answer.retryAfter().get();
            if (wanted.compareTo(options.maxRetryPause()) > 0) {
                return Optional.empty();
            }
            pause = wanted.compareTo(pause) > 0 ? wanted : pause;
        }
        return Optional.of(pause);
    }

    /** Between half of it and the whole, so that clients that failed together do not come back together. */
    private static Duration jittered(Duration pause) {
        return pause.isZero()
                ? pause
                : Duration.ofNanos(ThreadLocalRandom.current().nextLong(pause.toNanos() / 2, pause.toNanos() + 1));
    }

    private static boolean isRetryable(CallSpec call, Throwable failure) {
        return isUnprocessed(failure)
                || (maybeProcessed(failure)
                        && (call.isIdempotent() || call.options().repeatProcessed()));
    }

    private static boolean isUnprocessed(Throwable failure) {
        if (failure instanceof ServerStatusException answer) {
            return answer.status() == 503
                    || (answer.status() == 429 && answer.retryAfter().isPresent())
                    || (answer.status() == 404 && answer.serverMessage().startsWith(SMG_HAS_NO_ENGINE));
        }
        return failure instanceof ServerUnreachableException;
    }

    private static boolean maybeProcessed(Throwable failure) {
        if (failure instanceof ServerStatusException answer) {
            return answer.status() == 500 || answer.status() == 502 || answer.status() == 504;
        }
        return failure instanceof ConnectionLostException || failure instanceof RequestTimeoutException;
    }
}
