/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

/** A part of an engine did not start, and may where all parts start again: its port was taken, or it could not be forked. */
public final class TryAgainException extends RuntimeException {
    private final boolean portLost;

    /** With why. */
    public TryAgainException(String message, boolean portLost) {
        super(message);
        this.portLost = portLost;
    }

    /** Whether its port was taken, so that it needs another one. */
    public boolean portLost() {
        return portLost;
    }
}
