/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

/** A launch failed for a reason of its own; what it had started is gone again. */
public final class LaunchException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean busy;

    public LaunchException(String message) {
        this(message, false);
    }

    private LaunchException(String message, boolean busy) {
        super(message);
        this.busy = busy;
    }

    public LaunchException(String message, Throwable cause) {
        super(message, cause);
        this.busy = false;
    }

    /** A change of a fleet was refused, because another one is under way or came first. */
    static LaunchException busy(String message) {
        return new LaunchException(message, true);
    }

    /** Whether nothing was done because of another change. */
    boolean isBusy() {
        return busy;
    }
}
