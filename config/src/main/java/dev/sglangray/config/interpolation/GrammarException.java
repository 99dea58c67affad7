/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

/** A text that does not follow the interpolation grammar. Inside this package only. */
final class GrammarException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int offset;

    GrammarException(String message, int offset) {
        super(message);
        this.offset = offset;
    }

    /** Where in the text, from 0. */
    int offset() {
        return offset;
    }
}
