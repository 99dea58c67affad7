/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import dev.sglangray.config.hydra.override.OverrideToken.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;

/** Cuts an override into tokens; the longest match wins, and among equals the first rule. */
final class OverrideLexer {
    private OverrideLexer() {}

    /**
     * All tokens, the last one of type END.
     *
     * @throws OverrideSyntaxException at a character that fits no rule
     */
    static List<OverrideToken> tokens(String text) {
        List<OverrideToken> tokens = new ArrayList<>();
        List<Rule> rules = OverrideToken.KEY_RULES;
        int at = 0;
        while (at < text.length()) {
            OverrideToken token = longest(rules, text, at);
            tokens.add(token);
            at += token.text().length();
            if (token.type() == OverrideTokenType.EQUAL) {
                rules = OverrideToken.VALUE_RULES;
            }
        }
        tokens.add(new OverrideToken(OverrideTokenType.END, "", at));
        return tokens;
    }

    private static OverrideToken longest(List<Rule> rules, String text, int at) {
        OverrideTokenType type = OverrideTokenType.END;
        int end = at;
        for (Rule rule : rules) {
            Matcher matcher = rule.pattern().matcher(text).region(at, text.length());
            if (matcher.lookingAt() && matcher.end() > end) {
                type = rule.type();
                end = matcher.end();
            }
        }
        if (end == at) {
            throw new OverrideSyntaxException("unexpected '" + Character.toString(text.codePointAt(at)) + "'", at);
        }
        return new OverrideToken(type, text.substring(at, end), at);
    }
}
