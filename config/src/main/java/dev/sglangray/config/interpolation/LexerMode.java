/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import static dev.sglangray.config.interpolation.LexerMode.Step.POP;
import static dev.sglangray.config.interpolation.LexerMode.Step.PUSH_KEY;
import static dev.sglangray.config.interpolation.LexerMode.Step.PUSH_VALUE;
import static dev.sglangray.config.interpolation.LexerMode.Step.STAY;
import static dev.sglangray.config.interpolation.LexerMode.Step.TO_VALUE;

import java.util.List;
import java.util.regex.Pattern;

/** What the lexer knows in each of its modes; the longest match wins, and among equals the first rule. */
enum LexerMode {
    /** The text of a configuration value. */
    TEXT,
    /** Arguments of a resolver, or a value on its own. */
    VALUE,
    /** Inside the braces of an interpolation, before a colon. */
    KEY,
    SINGLE_QUOTED,
    DOUBLE_QUOTED;

    /** What a rule does to the stack of modes. */
    enum Step {
        STAY,
        PUSH_KEY,
        PUSH_VALUE,
        PUSH_SINGLE,
        PUSH_DOUBLE,
        TO_VALUE,
        POP
    }

    record Rule(TokenType type, Pattern pattern, Step step) {}

    private static final String IDENTIFIER = "[a-zA-Z_][a-zA-Z0-9_-]*+";
    private static final String DIGITS = "[0-9](?:_?[0-9])*+";
    private static final String WHOLE = "(?:0|[1-9](?:_?[0-9])*+)";
    private static final String POINT = "(?:" + WHOLE + "?\\." + DIGITS + "|" + WHOLE + "\\.)";
    private static final String EXPONENT = "(?:(?:" + POINT + "|" + WHOLE + ")[eE][+-]?" + DIGITS + ")";
    private static final Rule OPEN = rule(TokenType.OPEN, "\\$\\{[ \\t]*+", PUSH_KEY);

    private static final List<Rule> TEXT_RULES = List.of(
            OPEN,
            rule(TokenType.TEXT, "[^$]*[^\\\\$]", STAY),
            rule(TokenType.ESCAPED_OPEN, "\\\\(?:\\\\\\\\)*+\\$\\{", STAY),
            rule(TokenType.TOP_ESCAPE, "(?:\\\\\\\\)++", STAY),
            rule(TokenType.TEXT, "\\\\++", STAY),
            rule(TokenType.TEXT, "\\$", STAY));

    private static final List<Rule> VALUE_RULES = List.of(
            OPEN,
            rule(TokenType.BRACE_OPEN, "\\{[ \\t]*+", PUSH_VALUE),
            rule(TokenType.BRACE_CLOSE, "[ \\t]*+\\}", POP),
            rule(TokenType.QUOTE_OPEN, "'", Step.PUSH_SINGLE),
            rule(TokenType.QUOTE_OPEN, "\"", Step.PUSH_DOUBLE),
            rule(TokenType.COMMA, "[ \\t]*+,[ \\t]*+", STAY),
            rule(TokenType.BRACKET_OPEN, "\\[[ \\t]*+", STAY),
            rule(TokenType.BRACKET_CLOSE, "[ \\t]*+\\]", STAY),
            rule(TokenType.COLON, "[ \\t]*+:[ \\t]*+", STAY),
            rule(TokenType.FLOAT, "[+-]?(?:" + EXPONENT + "|" + POINT + "|[Ii][Nn][Ff]|[Nn][Aa][Nn])", STAY),
            rule(TokenType.INTEGER, "[+-]?" + WHOLE, STAY),
            rule(TokenType.BOOLEAN, "[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]", STAY),
            rule(TokenType.NULL, "[Nn][Uu][Ll][Ll]", STAY),
            rule(TokenType.UNQUOTED, "[/\\-\\\\+.$%*@?|]", STAY),
            rule(TokenType.ID, IDENTIFIER, STAY),
            rule(TokenType.ESCAPE, "(?:\\\\[\\\\()\\[\\]{}:=, \\t])++", STAY),
            rule(TokenType.SPACE, "[ \\t]++", STAY));

    private static final List<Rule> KEY_RULES = List.of(
            OPEN,
            rule(TokenType.COLON, "[ \\t]*+:[ \\t]*+", TO_VALUE),
            rule(TokenType.CLOSE, "[ \\t]*+\\}", POP),
            rule(TokenType.DOT, "\\.", STAY),
            rule(TokenType.BRACKET_OPEN, "\\[", STAY),
            rule(TokenType.BRACKET_CLOSE, "\\]", STAY),
            rule(TokenType.ID, IDENTIFIER, STAY),
            rule(TokenType.KEY, "[^\\\\{}()\\[\\]:. \\t'\"]++", STAY));

    private static final List<Rule> SINGLE_RULES = quoted("'");
    private static final List<Rule> DOUBLE_RULES = quoted("\"");

    private static List<Rule> quoted(String quote) {
        return List.of(
                OPEN,
                rule(TokenType.QUOTE_CLOSE, quote, POP),
                rule(TokenType.TEXT, "[^" + quote + "$]*[^" + quote + "\\\\$]", STAY),
                rule(TokenType.ESCAPED_OPEN, "\\\\(?:\\\\\\\\)*+\\$\\{", STAY),
                rule(TokenType.ESCAPE, "\\\\(?:\\\\\\\\)*+" + quote, STAY),
                rule(TokenType.QUOTED_ESCAPE, "(?:\\\\\\\\)++", STAY),
                rule(TokenType.TEXT, "\\\\++", STAY),
                rule(TokenType.TEXT, "\\$", STAY));
    }

    private static Rule rule(TokenType type, String pattern, Step step) {
        return new Rule(type, Pattern.compile(pattern, Pattern.DOTALL), step);
    }

    List<Rule> rules() {
        return switch (this) {
            case TEXT -> TEXT_RULES;
            case VALUE -> VALUE_RULES;
            case KEY -> KEY_RULES;
            case SINGLE_QUOTED -> SINGLE_RULES;
            case DOUBLE_QUOTED -> DOUBLE_RULES;
        };
    }
}
