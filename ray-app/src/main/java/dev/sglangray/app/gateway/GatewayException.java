/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

/** A fleet's owner refused a call, or could not be asked. */
public final class GatewayException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GatewayException(String message) {
        super(message);
    }

    GatewayException(String message, Throwable cause) {
        super(message, cause);
    }
}
