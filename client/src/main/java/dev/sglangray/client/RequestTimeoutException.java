/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import org.jspecify.annotations.Nullable;

/**
 * The read timeout or the request timeout that the builder was given passed without an answer. Failing to connect in time is a
 * {@link ServerUnreachableException} instead.
 */
public final class RequestTimeoutException extends InferenceException {
    public RequestTimeoutException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
