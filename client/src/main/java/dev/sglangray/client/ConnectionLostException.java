/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

/**
 * The connection was made and then broke before the whole answer had come, for example because the engine died. The server may
 * have worked on the request.
 */
public final class ConnectionLostException extends InferenceException {
    public ConnectionLostException(String message, Throwable cause) {
        super(message, cause);
    }
}
