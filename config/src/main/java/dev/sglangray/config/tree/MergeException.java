/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import dev.sglangray.config.error.SourcePosition;

/** Two trees cannot be merged. Inside this module only; what leaves it is a ConfigException. */
public final class MergeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient SourcePosition position;
    private final String path;

    MergeException(Node source, String message) {
        super(message);
        this.position = source.position();
        this.path = source.path();
    }

    /** Where the part stands that could not be merged. */
    public SourcePosition position() {
        return position;
    }

    /** The key of that part within its source. */
    public String path() {
        return path;
    }
}
