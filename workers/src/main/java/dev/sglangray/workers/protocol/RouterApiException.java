/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

/** The router refused a control request, or did not answer. */
public final class RouterApiException extends RuntimeException {

    /** Takes the whole text for the person who reads it. */
    public RouterApiException(String message) {
        super(message);
    }

    /** As above, with the cause. */
    public RouterApiException(String message, Throwable cause) {
        super(message, cause);
    }
}
