/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

/** This program's own files on this node cannot be used. The message says which, why, and what to do. */
public final class NodeFilesException extends RuntimeException {

    /** Takes the whole text for the person who reads it. */
    public NodeFilesException(String message) {
        super(message);
    }

    /** As above, with the cause. */
    public NodeFilesException(String message, Throwable cause) {
        super(message, cause);
    }
}
