/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.ProblemSink;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.hydra.override.ConfigOverride.Sweep;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Parses Hydra's override grammar by recursive descent. Not for use by several threads. */
public final class OverrideParser {
    private static final int MAX_DEPTH = 100;

    private static final Set<OverrideTokenType> DICT_KEY_PARTS = Set.of(
            OverrideTokenType.ID,
            OverrideTokenType.NULL,
            OverrideTokenType.INTEGER,
            OverrideTokenType.FLOAT,
            OverrideTokenType.BOOLEAN,
            OverrideTokenType.UNQUOTED,
            OverrideTokenType.ESCAPE,
            OverrideTokenType.SPACE);

    private final List<OverrideToken> tokens;
    private int next;
    private int depth;

    private OverrideParser(List<OverrideToken> tokens) {
        this.tokens = tokens;
    }

    /**
     * Parses all overrides.
     *
     * @param sink takes a problem for each one that does not follow the grammar
     */
    public static List<ConfigOverride> parseAll(List<String> lines, ProblemSink sink) {
        List<ConfigOverride> overrides = new ArrayList<>();
        List<ConfigProblem> problems = new ArrayList<>();
        for (String line : lines) {
            try {
                overrides.add(new OverrideParser(OverrideLexer.tokens(line)).parse(line));
            } catch (OverrideSyntaxException e) {
                problems.add(problem(line, e));
            }
        }
        sink.report(problems);
        return overrides;
    }

    private static ConfigProblem problem(String line, OverrideSyntaxException e) {
        String shown = ConfigOverride.display(line);
        String message = "cannot read the override '" + shown + "'";
        if (shown.equals(line)) {
            // The reason repeats a piece of the line.
            message += ": " + e.getMessage();
        }
        return ConfigProblem.error(new SourcePosition("<override>", 1, e.offset() + 1), "", message)
                .withFix("write key=value, +key=value, ++key=value or ~key; quote values with special characters:"
                        + " key='a,b'");
    }

    private ConfigOverride parse(String line) {
        ConfigOverride.Type type = ConfigOverride.Type.CHANGE;
        if (skip(OverrideTokenType.TILDE)) {
            type = ConfigOverride.Type.DELETE;
        } else if (skip(OverrideTokenType.PLUS)) {
            type = skip(OverrideTokenType.PLUS) ? ConfigOverride.Type.FORCE_ADD : ConfigOverride.Type.ADD;
        }
        String key = packageOrGroup();
        String packageName = skip(OverrideTokenType.AT) ? packageName() : null;
        boolean hasValue = type != ConfigOverride.Type.DELETE || peek().type() != OverrideTokenType.END;
        Object value = null;
        int valueStart = peek().start();
        if (hasValue) {
            expect(OverrideTokenType.EQUAL, "'='");
            valueStart = peek().start();
            value = peek().type() == OverrideTokenType.END ? "" : value();
        }
        if (peek().type() != OverrideTokenType.END) {
            throw unexpected();
        }
        String name = line.substring(0, Math.min(valueStart, line.length())).replaceFirst("=\\s*$", "");
        SourcePosition position = new SourcePosition("<override " + name + ">", 1, valueStart + 1);
        return new ConfigOverride(type, key, packageName, hasValue, Quoted.strip(value), line, position);
    }

    private String packageOrGroup() {
        if (peek().type() != OverrideTokenType.ID || tokens.get(next + 1).type() != OverrideTokenType.SLASH) {
            return packageName();
        }
        StringBuilder group = new StringBuilder(take().text());
        while (skip(OverrideTokenType.SLASH)) {
            group.append('/').append(expect(OverrideTokenType.ID, "a name").text());
        }
        return group.toString();
    }

    private String packageName() {
        return switch (peek().type()) {
            case ID, KEY_SPECIAL, DOT_PATH -> take().text();
            default -> "";
        };
    }

    private @Nullable Object value() {
        Object first = element();
        if (peek().type() != OverrideTokenType.COMMA) {
            return first;
        }
        while (skip(OverrideTokenType.COMMA)) {
            element();
        }
        return new Sweep("a list of values without brackets");
    }

    private @Nullable Object element() {
        if (++depth > MAX_DEPTH) {
            throw new OverrideSyntaxException("nested deeper than " + MAX_DEPTH + " levels", peek().start());
        }
        Object result;
        if (peek().type() == OverrideTokenType.ID && tokens.get(next + 1).type() == OverrideTokenType.PAREN_OPEN) {
            result = function();
        } else if (peek().type() == OverrideTokenType.BRACKET_OPEN) {
            result = list();
        } else if (peek().type() == OverrideTokenType.BRACE_OPEN) {
            result = map();
        } else {
            result = primitive(true);
        }
        depth--;
        return result;
    }

    private @Nullable Object function() {
        OverrideToken name = take();
        expect(OverrideTokenType.PAREN_OPEN, "'('");
        List<@Nullable Object> positional = new ArrayList<>();
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        while (peek().type() != OverrideTokenType.PAREN_CLOSE) {
            if (!positional.isEmpty() || !named.isEmpty()) {
                expect(OverrideTokenType.COMMA, "','");
            }
            if (peek().type() == OverrideTokenType.ID && tokens.get(next + 1).type() == OverrideTokenType.EQUAL) {
                String argument = take().text();
                take();
                named.put(argument, element());
            } else if (named.isEmpty()) {
                positional.add(element());
            } else {
                throw new OverrideSyntaxException("a positional argument follows a named one", peek().start());
            }
        }
        take();
        return OverrideFunctions.call(name, positional, named);
    }

    private List<@Nullable Object> list() {
        expect(OverrideTokenType.BRACKET_OPEN, "'['");
        List<@Nullable Object> items = new ArrayList<>();
        while (peek().type() != OverrideTokenType.BRACKET_CLOSE) {
            if (!items.isEmpty()) {
                expect(OverrideTokenType.COMMA, "',' or ']'");
            }
            items.add(element());
        }
        take();
        return items;
    }

    private Map<@Nullable Object, @Nullable Object> map() {
        expect(OverrideTokenType.BRACE_OPEN, "'{'");
        Map<@Nullable Object, @Nullable Object> entries = new LinkedHashMap<>();
        boolean first = true;
        while (peek().type() != OverrideTokenType.BRACE_CLOSE) {
            if (!first) {
                expect(OverrideTokenType.COMMA, "',' or '}'");
            }
            first = false;
            Object key = primitive(false);
            expect(OverrideTokenType.COLON, "':'");
            entries.put(key, element());
        }
        take();
        return entries;
    }

    private @Nullable Object primitive(boolean value) {
        if (value && peek().type() == OverrideTokenType.QUOTED) {
            return Quoted.of(take().text());
        }
        List<OverrideToken> run = new ArrayList<>();
        while (DICT_KEY_PARTS.contains(peek().type())
                || (value
                        && (peek().type() == OverrideTokenType.COLON
                                || peek().type() == OverrideTokenType.INTERPOLATION))) {
            run.add(take());
        }
        if (run.isEmpty()) {
            throw unexpected();
        }
        return OverrideValues.primitive(run);
    }

    private OverrideToken peek() {
        return tokens.get(next);
    }

    private OverrideToken take() {
        return tokens.get(next++);
    }

    private boolean skip(OverrideTokenType type) {
        if (peek().type() == type) {
            next++;
            return true;
        }
        return false;
    }

    private OverrideToken expect(OverrideTokenType type, String what) {
        if (peek().type() != type) {
            String seen = peek().type() == OverrideTokenType.END ? "the end" : "'" + peek().text() + "'";
            throw new OverrideSyntaxException("expected " + what + ", not " + seen, peek().start());
        }
        return take();
    }

    private OverrideSyntaxException unexpected() {
        OverrideToken token = peek();
        String what = token.type() == OverrideTokenType.END ? "it ends too early" : "unexpected '" + token.text() + "'";
        return new OverrideSyntaxException(what, token.start());
    }
}
