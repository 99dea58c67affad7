/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How an attempt ended. Immutable.
 *
 * @param status the HTTP status, 0 if there was none
 * @param duration from the start of the attempt
 * @param sentBytes of the request's body
 * @param receivedBytes of the answer's body, decompressed
 * @param failureOrNull why it failed, or null
 */
public record AttemptResult(
        int status,
        Duration duration,
        long sentBytes,
        long receivedBytes,
        @Nullable InferenceException failureOrNull) {
    /** Why it failed. */
    public Optional<InferenceException> failure() {
        return Optional.ofNullable(failureOrNull);
    }
}
