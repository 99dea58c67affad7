/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import org.jspecify.annotations.Nullable;

/**
 * A call to an engine or router that gave no usable answer. Unchecked; the subclasses say why. Their texts name the method,
 * the URL and what was seen, and never contain the API key.
 */
public abstract sealed class InferenceException extends RuntimeException
        permits ServerUnreachableException,
                ConnectionLostException,
                RequestTimeoutException,
                ServerStatusException,
                MalformedResponseException,
                AnswerTooLargeException,
                RequestCancelledException {
    InferenceException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
