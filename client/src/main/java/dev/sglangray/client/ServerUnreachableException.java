/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import org.jspecify.annotations.Nullable;

/**
 * No connection could be made: refused, no such host, no route, a failed TLS handshake, or not connected within the connect
 * timeout. The server has seen nothing of the request.
 */
public final class ServerUnreachableException extends InferenceException {
    public ServerUnreachableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
