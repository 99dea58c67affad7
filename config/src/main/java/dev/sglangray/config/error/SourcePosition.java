/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import java.util.Objects;

/**
 * A place in a configuration source.
 *
 * @param file the file's path as it was opened, or a name in angle brackets for text that has no file
 * @param line the line, from 1; 0 when the source has no lines
 * @param column the column, from 1; 0 when the source has no lines
 */
public record SourcePosition(String file, int line, int column) {

    /** The position of a value that a program made. */
    public static final SourcePosition PROGRAM = new SourcePosition("<program>", 0, 0);

    public SourcePosition {
        Objects.requireNonNull(file, "file");
    }

    /** {@code file:line:column}, or the file alone when there is no line. */
    @Override
    public String toString() {
        return line > 0 ? file + ":" + line + ":" + column : file;
    }
}
