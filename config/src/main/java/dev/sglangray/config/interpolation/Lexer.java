/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.interpolation.LexerMode.Rule;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/** Cuts the text of a value into tokens. */
final class Lexer {
    private final String text;
    private final Deque<LexerMode> outer = new ArrayDeque<>();
    private LexerMode mode;

    private Lexer(String text, LexerMode mode) {
        this.text = text;
        this.mode = mode;
    }

    /**
     * All tokens of a text, the last one of type END.
     *
     * @throws GrammarException at a character that fits no rule
     */
    static List<Token> tokens(String text, LexerMode start) {
        return new Lexer(text, start).run();
    }

    private List<Token> run() {
        List<Token> tokens = new ArrayList<>();
        int at = 0;
        while (at < text.length()) {
            Rule best = null;
            int end = at;
            for (Rule rule : mode.rules()) {
                Matcher matcher = rule.pattern().matcher(text).region(at, text.length());
                if (matcher.lookingAt() && matcher.end() > end) {
                    best = rule;
                    end = matcher.end();
                }
            }
            if (best == null) {
                throw new GrammarException("unexpected '" + Character.toString(text.codePointAt(at)) + "'", at);
            }
            tokens.add(new Token(best.type(), text.substring(at, end), at));
            step(best, at);
            at = end;
        }
        tokens.add(new Token(TokenType.END, "", at));
        return tokens;
    }

    private void step(Rule rule, int at) {
        switch (rule.step()) {
            case STAY -> {}
            case PUSH_KEY -> push(LexerMode.KEY);
            case PUSH_VALUE -> push(LexerMode.VALUE);
            case PUSH_SINGLE -> push(LexerMode.SINGLE_QUOTED);
            case PUSH_DOUBLE -> push(LexerMode.DOUBLE_QUOTED);
            case TO_VALUE -> mode = LexerMode.VALUE;
            case POP -> {
                @Nullable LexerMode popped = outer.poll();
                if (popped == null) {
                    throw new GrammarException("unexpected '}'", at);
                }
                mode = popped;
            }
        }
    }

    private void push(LexerMode inner) {
        outer.push(mode);
        mode = inner;
    }
}
