/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The outcome of one request of a batch: either an answer or a failure. Immutable.
 *
 * @param index its place in the batch, from 0
 * @param responseOrNull the answer
 * @param failureOrNull why there is none
 */
public record BatchItem(
        int index,
        @Nullable GenerateResponse responseOrNull,
        @Nullable InferenceException failureOrNull) {
    /**
     * The answer.
     *
     * @throws InferenceException the failure, if there is none
     */
    public GenerateResponse response() {
        if (responseOrNull != null) {
            return responseOrNull;
        }
        throw failureOrNull == null ? new IllegalStateException("neither answer nor failure") : failureOrNull;
    }

    /** Why there is no answer. */
    public Optional<InferenceException> failure() {
        return Optional.ofNullable(failureOrNull);
    }
}
