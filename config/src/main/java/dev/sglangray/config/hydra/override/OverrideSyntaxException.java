/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

/** An override does not follow the grammar. Inside this package only. */
final class OverrideSyntaxException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int offset;

    OverrideSyntaxException(String message, int offset) {
        super(message);
        this.offset = offset;
    }

    /** Where in the override, from 0. */
    int offset() {
        return offset;
    }
}
