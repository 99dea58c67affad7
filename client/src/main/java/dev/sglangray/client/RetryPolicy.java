/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.time.Duration;

/**
 * When to try again, as RLinf's client does: after a refused, broken or silent connection, and after the statuses that a
 * router gives while an engine comes or goes; the pause grows by {@code backoff} with each attempt.
 */
record RetryPolicy(int maxRetries, Duration backoff) {
    boolean allows(int attemptsMade, Throwable failure) {
        return attemptsMade <= maxRetries && isRetryable(failure);
    }

    Duration pauseAfter(int attemptsMade) {
        return backoff.multipliedBy(attemptsMade);
    }

    private static boolean isRetryable(Throwable failure) {
        if (failure instanceof ServerStatusException answer) {
            int status = answer.status();
            return status == 500 || status == 502 || status == 503 || status == 504;
        }
        return failure instanceof ServerUnreachableException
                || failure instanceof ConnectionLostException
                || failure instanceof RequestTimeoutException;
    }
}
