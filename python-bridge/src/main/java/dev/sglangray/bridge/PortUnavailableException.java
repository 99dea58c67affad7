/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

/** No port, or not the port that was asked for. The message says who holds it where that can be known. */
public final class PortUnavailableException extends RuntimeException {

    /** Takes the whole text for the person who reads it. */
    public PortUnavailableException(String message) {
        super(message);
    }

    /** As above, with the cause. */
    public PortUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
