/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import org.jspecify.annotations.Nullable;

/**
 * The call was given up on this side: the client was closed, or the waiting thread was interrupted (its interrupt flag is set
 * again). The server may go on working on the request.
 */
public final class RequestCancelledException extends InferenceException {
    public RequestCancelledException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
