/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.gang;

/** The process of a part's worker is gone, and the part's process with it. */
public final class PartLostException extends RuntimeException {
    /** With what Ray says. */
    public PartLostException(String message) {
        super(message);
    }
}
