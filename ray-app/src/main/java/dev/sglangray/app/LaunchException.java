/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

/** A launch failed for a reason of its own; what it had started is gone again. */
public sealed class LaunchException extends RuntimeException permits FleetBusyException {
    private static final long serialVersionUID = 1L;

    public LaunchException(String message) {
        super(message);
    }

    public LaunchException(String message, Throwable cause) {
        super(message, cause);
    }
}
