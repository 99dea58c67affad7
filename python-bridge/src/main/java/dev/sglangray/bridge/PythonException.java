/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

/** A Python that is missing, fails, hangs, or lacks what we need. The message says which, and what to do. */
public final class PythonException extends RuntimeException {

    /** Takes the whole text for the person who reads it. */
    public PythonException(String message) {
        super(message);
    }

    /** As above, with the cause. */
    public PythonException(String message, Throwable cause) {
        super(message, cause);
    }
}
