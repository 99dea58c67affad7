/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import java.util.List;
import java.util.regex.Pattern;

/**
 * A token of Hydra's override grammar.
 *
 * @param start its offset in the override, from 0
 */
record OverrideToken(OverrideTokenType type, String text, int start) {

    record Rule(OverrideTokenType type, Pattern pattern) {}

    private static final String SPACES = "[ \\t]*+";
    private static final String DIGITS = "[0-9](?:_?[0-9])*+";
    private static final String WHOLE = "(?:0|[1-9](?:_?[0-9])*+)";
    private static final String POINT = "(?:" + WHOLE + "?\\." + DIGITS + "|" + WHOLE + "\\.)";
    private static final String EXPONENT = "(?:(?:" + POINT + "|" + WHOLE + ")[eE][+-]?" + DIGITS + ")";
    private static final String SPECIAL = "[a-zA-Z_$][a-zA-Z0-9_$-]*+";

    /** Before the first equals sign. */
    static final List<Rule> KEY_RULES = List.of(
            rule(OverrideTokenType.EQUAL, "=" + SPACES),
            rule(OverrideTokenType.TILDE, "~"),
            rule(OverrideTokenType.PLUS, "\\+"),
            rule(OverrideTokenType.AT, "@"),
            rule(OverrideTokenType.COLON, ":"),
            rule(OverrideTokenType.SLASH, "/"),
            rule(OverrideTokenType.ID, "[a-zA-Z_][a-zA-Z0-9_-]*+"),
            rule(OverrideTokenType.KEY_SPECIAL, SPECIAL),
            rule(
                    OverrideTokenType.DOT_PATH,
                    "(?:" + SPECIAL + "|" + WHOLE + ")(?:\\.(?:" + SPECIAL + "|" + WHOLE + "))++"));

    /** Behind the first equals sign. */
    static final List<Rule> VALUE_RULES = List.of(
            rule(OverrideTokenType.PAREN_OPEN, SPACES + "\\(" + SPACES),
            rule(OverrideTokenType.COMMA, SPACES + "," + SPACES),
            rule(OverrideTokenType.PAREN_CLOSE, SPACES + "\\)"),
            rule(OverrideTokenType.BRACKET_OPEN, "\\[" + SPACES),
            rule(OverrideTokenType.BRACKET_CLOSE, SPACES + "\\]"),
            rule(OverrideTokenType.BRACE_OPEN, "\\{" + SPACES),
            rule(OverrideTokenType.BRACE_CLOSE, SPACES + "\\}"),
            rule(OverrideTokenType.COLON, SPACES + ":" + SPACES),
            rule(OverrideTokenType.EQUAL, SPACES + "=" + SPACES),
            rule(OverrideTokenType.FLOAT, "[+-]?(?:" + EXPONENT + "|" + POINT + "|[Ii][Nn][Ff]|[Nn][Aa][Nn])"),
            rule(OverrideTokenType.INTEGER, "[+-]?" + WHOLE),
            rule(OverrideTokenType.BOOLEAN, "[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]"),
            rule(OverrideTokenType.NULL, "[Nn][Uu][Ll][Ll]"),
            rule(OverrideTokenType.UNQUOTED, "[/\\-\\\\+.$%*@?|]"),
            rule(OverrideTokenType.ID, "[a-zA-Z_][a-zA-Z0-9_-]*+"),
            rule(OverrideTokenType.ESCAPE, "(?:\\\\[\\\\()\\[\\]{}:=, \\t])++"),
            rule(OverrideTokenType.SPACE, "[ \\t]++"),
            rule(OverrideTokenType.QUOTED, "\"(?:[^\"\\\\]|\\\\.)*+\"|'(?:[^'\\\\]|\\\\.)*+'"),
            rule(OverrideTokenType.INTERPOLATION, "\\$\\{[^}]++\\}"));

    private static Rule rule(OverrideTokenType type, String pattern) {
        return new Rule(type, Pattern.compile(pattern, Pattern.DOTALL));
    }
}
