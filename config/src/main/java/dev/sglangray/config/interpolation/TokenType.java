/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

/** Kinds of tokens of the interpolation grammar. */
enum TokenType {
    /** Text outside interpolations. */
    TEXT,
    /** Backslashes and an escaped opening of an interpolation. */
    ESCAPED_OPEN,
    /** An even number of backslashes in unquoted text; halved when an interpolation follows. */
    TOP_ESCAPE,
    /** An even number of backslashes in quoted text; halved when an interpolation or the closing quote follows. */
    QUOTED_ESCAPE,
    /** Escaped characters in a value, or an escaped quote in quoted text. */
    ESCAPE,
    OPEN,
    CLOSE,
    BRACE_OPEN,
    BRACE_CLOSE,
    BRACKET_OPEN,
    BRACKET_CLOSE,
    QUOTE_OPEN,
    QUOTE_CLOSE,
    COMMA,
    COLON,
    DOT,
    FLOAT,
    INTEGER,
    BOOLEAN,
    NULL,
    ID,
    /** A key that is no plain identifier. */
    KEY,
    UNQUOTED,
    SPACE,
    END
}
