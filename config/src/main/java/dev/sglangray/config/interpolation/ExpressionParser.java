/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.interpolation.Expression.Call;
import dev.sglangray.config.interpolation.Expression.Constant;
import dev.sglangray.config.interpolation.Expression.Entry;
import dev.sglangray.config.interpolation.Expression.ListValue;
import dev.sglangray.config.interpolation.Expression.MapValue;
import dev.sglangray.config.interpolation.Expression.Quoted;
import dev.sglangray.config.interpolation.Expression.Reference;
import dev.sglangray.config.interpolation.Expression.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Parses OmegaConf's interpolation grammar by recursive descent. Not for use by several threads. */
final class ExpressionParser {
    private static final int MAX_DEPTH = 100;

    private static final Set<TokenType> TEXT_PARTS = Set.of(
            TokenType.TEXT,
            TokenType.ESCAPED_OPEN,
            TokenType.TOP_ESCAPE,
            TokenType.QUOTED_ESCAPE,
            TokenType.ESCAPE,
            TokenType.OPEN);
    private static final Set<TokenType> KEY_PARTS = Set.of(
            TokenType.ID,
            TokenType.NULL,
            TokenType.INTEGER,
            TokenType.FLOAT,
            TokenType.BOOLEAN,
            TokenType.UNQUOTED,
            TokenType.ESCAPE,
            TokenType.SPACE);

    private final List<Token> tokens;
    private int next;
    private int depth;

    private ExpressionParser(List<Token> tokens) {
        this.tokens = tokens;
    }

    /**
     * Parses a whole configuration value: text with interpolations in it.
     *
     * @throws GrammarException when the text does not follow the grammar
     */
    static Expression parseText(String text) {
        ExpressionParser parser = new ExpressionParser(Lexer.tokens(text, LexerMode.TEXT));
        return parser.toEnd(parser.text());
    }

    /**
     * Parses one value as in a resolver's arguments, such as {@code [1, a, {b: null}]}.
     *
     * @throws GrammarException when the text does not follow the grammar
     */
    static Expression parseElement(String text) {
        ExpressionParser parser = new ExpressionParser(Lexer.tokens(text, LexerMode.VALUE));
        return parser.toEnd(parser.element());
    }

    private Expression toEnd(Expression expression) {
        expect(TokenType.END);
        return expression;
    }

    private Expression text() {
        List<Token> run = new ArrayList<>();
        List<Expression> parts = new ArrayList<>();
        while (TEXT_PARTS.contains(peek().type())) {
            Token token = peek();
            run.add(token);
            parts.add(token.type() == TokenType.OPEN ? interpolation() : new Constant(take().text()));
        }
        if (parts.isEmpty()) {
            throw unexpected();
        }
        if (parts.size() == 1 && run.get(0).type() == TokenType.OPEN) {
            return parts.get(0);
        }
        for (int i = 0; i < run.size(); i++) {
            if (run.get(i).type() != TokenType.OPEN) {
                TokenType following = i + 1 < run.size() ? run.get(i + 1).type() : TokenType.END;
                parts.set(i, new Constant(Escapes.undo(run.get(i), following)));
            }
        }
        return new Text(List.copyOf(parts));
    }

    private Expression interpolation() {
        enter();
        expect(TokenType.OPEN);
        Expression result = isCall() ? call() : reference();
        depth--;
        return result;
    }

    /** Looks ahead for the colon that ends a resolver's name, past nested interpolations. */
    private boolean isCall() {
        int nested = 0;
        for (int i = next; i < tokens.size(); i++) {
            switch (tokens.get(i).type()) {
                case OPEN, BRACE_OPEN -> nested++;
                case CLOSE, BRACE_CLOSE -> {
                    if (nested-- == 0) {
                        return false;
                    }
                }
                case COLON -> {
                    if (nested == 0) {
                        return true;
                    }
                }
                default -> {}
            }
        }
        return false;
    }

    private Call call() {
        List<Expression> name = new ArrayList<>();
        name.add(namePart());
        while (peek().type() == TokenType.DOT) {
            take();
            name.add(namePart());
        }
        expect(TokenType.COLON);
        List<Expression> arguments = peek().type() == TokenType.BRACE_CLOSE ? List.of() : sequence();
        expect(TokenType.BRACE_CLOSE);
        return new Call(name, arguments);
    }

    private Expression namePart() {
        return peek().type() == TokenType.OPEN
                ? interpolation()
                : new Constant(expect(TokenType.ID).text());
    }

    private Reference reference() {
        List<Expression> pieces = new ArrayList<>();
        while (peek().type() == TokenType.DOT) {
            pieces.add(new Constant(take().text()));
        }
        key(pieces);
        while (peek().type() != TokenType.CLOSE) {
            if (peek().type() == TokenType.DOT) {
                pieces.add(new Constant(take().text()));
                pieces.add(configKey());
            } else if (peek().type() == TokenType.BRACKET_OPEN) {
                key(pieces);
            } else {
                throw unexpected();
            }
        }
        expect(TokenType.CLOSE);
        return new Reference(List.copyOf(pieces));
    }

    private void key(List<Expression> pieces) {
        if (peek().type() != TokenType.BRACKET_OPEN) {
            pieces.add(configKey());
            return;
        }
        pieces.add(new Constant(take().text()));
        pieces.add(configKey());
        pieces.add(new Constant(expect(TokenType.BRACKET_CLOSE).text()));
    }

    private Expression configKey() {
        return switch (peek().type()) {
            case OPEN -> interpolation();
            case ID, KEY -> new Constant(take().text());
            default -> throw unexpected();
        };
    }

    /** Elements between commas; where one is left out, the empty text stands in. */
    private List<Expression> sequence() {
        List<Expression> items = new ArrayList<>();
        boolean afterComma = true;
        while (true) {
            if (peek().type() == TokenType.COMMA) {
                take();
                if (afterComma) {
                    items.add(new Constant(""));
                }
                afterComma = true;
            } else if (afterComma && startsElement(peek().type())) {
                items.add(element());
                afterComma = false;
            } else {
                break;
            }
        }
        if (afterComma) {
            items.add(new Constant(""));
        }
        return items;
    }

    private static boolean startsElement(TokenType type) {
        return KEY_PARTS.contains(type)
                || type == TokenType.COLON
                || type == TokenType.OPEN
                || type == TokenType.QUOTE_OPEN
                || type == TokenType.BRACKET_OPEN
                || type == TokenType.BRACE_OPEN;
    }

    private Expression element() {
        enter();
        Expression result = switch (peek().type()) {
            case QUOTE_OPEN -> quoted();
            case BRACKET_OPEN -> list();
            case BRACE_OPEN -> map();
            default -> primitive(true);
        };
        depth--;
        return result;
    }

    private Quoted quoted() {
        expect(TokenType.QUOTE_OPEN);
        Expression content = peek().type() == TokenType.QUOTE_CLOSE ? new Constant("") : text();
        expect(TokenType.QUOTE_CLOSE);
        return new Quoted(content);
    }

    private ListValue list() {
        expect(TokenType.BRACKET_OPEN);
        List<Expression> items = peek().type() == TokenType.BRACKET_CLOSE ? List.of() : sequence();
        expect(TokenType.BRACKET_CLOSE);
        return new ListValue(items);
    }

    private MapValue map() {
        expect(TokenType.BRACE_OPEN);
        List<Entry> entries = new ArrayList<>();
        while (peek().type() != TokenType.BRACE_CLOSE) {
            if (!entries.isEmpty()) {
                expect(TokenType.COMMA);
            }
            Object key = ((Constant) primitive(false)).value();
            expect(TokenType.COLON);
            entries.add(new Entry(key, element()));
        }
        expect(TokenType.BRACE_CLOSE);
        return new MapValue(entries);
    }

    /** An unquoted value; a key of a map may hold neither colon nor interpolation. */
    private Expression primitive(boolean value) {
        List<Token> run = new ArrayList<>();
        List<Expression> parts = new ArrayList<>();
        while (KEY_PARTS.contains(peek().type())
                || (value && (peek().type() == TokenType.COLON || peek().type() == TokenType.OPEN))) {
            Token token = peek();
            run.add(token);
            parts.add(token.type() == TokenType.OPEN ? interpolation() : new Constant(take().text()));
        }
        if (run.isEmpty()) {
            throw unexpected();
        }
        if (run.size() == 1) {
            return run.get(0).type() == TokenType.OPEN ? parts.get(0) : new Constant(Escapes.primitive(run.get(0)));
        }
        StringBuilder constant = new StringBuilder();
        boolean hasInterpolation = false;
        for (int i = 0; i < run.size(); i++) {
            if (run.get(i).type() == TokenType.OPEN) {
                hasInterpolation = true;
            } else {
                String text = Escapes.undo(run.get(i), TokenType.END);
                parts.set(i, new Constant(text));
                constant.append(text);
            }
        }
        return hasInterpolation ? new Text(List.copyOf(parts)) : new Constant(constant.toString());
    }

    private void enter() {
        if (++depth > MAX_DEPTH) {
            throw new GrammarException("nested deeper than " + MAX_DEPTH + " levels", peek().start());
        }
    }

    private Token peek() {
        return tokens.get(next);
    }

    private Token take() {
        return tokens.get(next++);
    }

    private Token expect(TokenType type) {
        if (peek().type() != type) {
            throw unexpected();
        }
        return type == TokenType.END ? peek() : take();
    }

    private GrammarException unexpected() {
        Token token = peek();
        return new GrammarException(
                token.type() == TokenType.END ? "it ends too early" : "unexpected '" + token.text() + "'",
                token.start());
    }
}
