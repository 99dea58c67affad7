/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

/** A child could not be started at all: no such interpreter or program, no permission, no supervisor. */
public final class ProcessStartException extends RuntimeException {

    /** Takes the whole text for the person who reads it. */
    public ProcessStartException(String message) {
        super(message);
    }

    /** As above, with the cause. */
    public ProcessStartException(String message, Throwable cause) {
        super(message, cause);
    }
}
