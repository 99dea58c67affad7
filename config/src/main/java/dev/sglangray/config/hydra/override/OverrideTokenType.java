/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

/** Kinds of tokens of the override grammar. */
enum OverrideTokenType {
    EQUAL,
    TILDE,
    PLUS,
    AT,
    COLON,
    SLASH,
    ID,
    /** A key with a dollar sign in it. */
    KEY_SPECIAL,
    DOT_PATH,
    PAREN_OPEN,
    PAREN_CLOSE,
    COMMA,
    BRACKET_OPEN,
    BRACKET_CLOSE,
    BRACE_OPEN,
    BRACE_CLOSE,
    FLOAT,
    INTEGER,
    BOOLEAN,
    NULL,
    UNQUOTED,
    ESCAPE,
    SPACE,
    QUOTED,
    INTERPOLATION,
    END
}
