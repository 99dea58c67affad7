/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import org.jspecify.annotations.Nullable;

/** The server answered 2xx with a body that is not JSON, is cut short, or lacks what the answer must have. */
public final class MalformedResponseException extends InferenceException {
    public MalformedResponseException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
