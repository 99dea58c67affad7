/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Keeps secrets out of messages: values of keys with secret-looking names, and what looks like one inside a text. The names are in
 * {@code secrets.json}, which the Python side reads too. Stateless.
 */
public final class Secrets {
    /** Stands where a secret was. */
    public static final String HIDDEN = "<hidden>";

    private static final int LONGEST_VALUE = 120;

    /** Shorter texts stand in others by chance. */
    private static final int SHORTEST = 4;

    private static final Rules RULES = Rules.read();

    private Secrets() {}

    private record Rules(
            List<String> marks,
            Pattern words,
            List<String> noMarks,
            List<String> noSecrets,
            Pattern counts,
            Pattern number,
            Pattern assignment,
            Pattern option,
            Pattern userInfo,
            Pattern harmless) {
        static Rules read() {
            try (InputStream stream = Objects.requireNonNull(Secrets.class.getResourceAsStream("secrets.json"))) {
                JsonNode rules = new ObjectMapper().readTree(stream);
                return new Rules(
                        texts(rules.path("marks")),
                        pattern(rules, "words"),
                        texts(rules.path("no_marks")),
                        texts(rules.path("no_secrets")),
                        pattern(rules, "counts"),
                        pattern(rules, "number"),
                        pattern(rules, "assignment"),
                        pattern(rules, "option"),
                        pattern(rules, "user_info"),
                        pattern(rules, "harmless"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static List<String> texts(JsonNode list) {
            List<String> texts = new ArrayList<>();
            list.forEach(text -> texts.add(text.asText()));
            return List.copyOf(texts);
        }

        private static Pattern pattern(JsonNode rules, String name) {
            return Pattern.compile(rules.path(name).asText());
        }
    }

    /**
     * Whether a key looks as if its value were secret: it names a key, a token, a secret, a password or a
     * credential. Only the last part of a dotted path counts, and a tokenizer is no token.
     */
    public static boolean isSecret(String key) {
        String name =
                key.substring(key.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT).replace('-', '_');
        if (RULES.noSecrets().contains(name)) {
            return false;
        }
        for (String other : RULES.noMarks()) {
            name = name.replace(other, "");
        }
        return RULES.marks().stream().anyMatch(name::contains)
                || RULES.words().matcher(name).matches();
    }

    /** As {@link #isSecret}, of any part of a dotted path. */
    public static boolean isSecretPath(String path) {
        for (String part : path.split("\\.", -1)) {
            if (isSecret(part)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Whether this value of this key must not be shown: it is secret, and neither absent nor a switch nor a number of
     * tokens, which {@code max_total_tokens} and its like are.
     */
    public static boolean hides(String key, @Nullable Object value) {
        boolean harmless = value == null || value instanceof Boolean || (value instanceof Number && isCount(key));
        return !harmless && isSecret(key);
    }

    private static boolean isCount(String key) {
        return RULES.counts().matcher(key.toLowerCase(Locale.ROOT)).find();
    }

    /**
     * A value as it may stand in a message: quoted text or the plain value, shortened; {@code <hidden>} for a
     * secret, see {@link #hides}.
     */
    public static String display(String key, @Nullable Object value) {
        if (hides(key, value)) {
            return HIDDEN;
        }
        String plain = inText(String.valueOf(value));
        String text = value instanceof String ? "'" + plain + "'" : plain;
        return text.length() <= LONGEST_VALUE ? text : text.substring(0, LONGEST_VALUE) + "…";
    }

    /**
     * A text that a user wrote, with what looks like a secret in it replaced: values after secret-looking names, as in {@code
     * {api_key: x}}, {@code "token": "x"}, {@code ?key=x} and {@code --api-key x}, and users and passwords of URLs.
     */
    public static String inText(String text) {
        String result = text;
        List<Span> spans = spans(text);
        for (int i = spans.size() - 1; i >= 0; i--) {
            Span span = spans.get(i);
            result = result.substring(0, span.start()) + HIDDEN + result.substring(span.end());
        }
        return result;
    }

    /**
     * The secrets in a tree of maps, lists, texts and numbers, longest first, so that none is cut up by a shorter one inside it: values
     * below keys with secret-looking names, and what {@link #inText} hides. Those of less than four characters are left out.
     */
    public static List<String> valuesIn(Map<?, ? extends @Nullable Object> tree) {
        Set<String> found = new LinkedHashSet<>();
        collect("", tree, false, found);
        return found.stream()
                .filter(text -> text.length() >= SHORTEST)
                .sorted(Comparator.comparingInt(String::length).reversed())
                .toList();
    }

    private static void collect(String key, @Nullable Object value, boolean secret, Set<String> into) {
        if (value instanceof Map<?, ?> map) {
            map.forEach((name, child) ->
                    collect(String.valueOf(name), child, secret || isSecret(String.valueOf(name)), into));
        } else if (value instanceof Collection<?> many) {
            many.forEach(child -> collect(key, child, secret, into));
        } else if (secret && (value instanceof String || (value instanceof Number && !isCount(key)))) {
            into.add(value.toString());
        } else if (value instanceof String text) {
            for (Span span : spans(text)) {
                String hidden = text.substring(span.start(), span.end());
                into.add(span.user() ? hidden.substring(hidden.indexOf(':') + 1) : hidden);
            }
        }
    }

    /** A piece of a text; with a user's name in front of the secret, or the secret alone. */
    private record Span(int start, int end, boolean user) {}

    /** What is secret in a text, in order and without overlaps. */
    private static List<Span> spans(String text) {
        List<Span> spans = new ArrayList<>();
        Matcher users = RULES.userInfo().matcher(text);
        while (users.find()) {
            int group = users.start(1) >= 0 ? 1 : 2;
            spans.add(new Span(users.start(group), users.end(group), true));
        }
        named(text, RULES.assignment().matcher(text), 2, 3, spans);
        named(text, RULES.option().matcher(text), 1, 2, spans);
        spans.sort(Comparator.comparingInt(Span::start)
                .thenComparing(Comparator.comparingInt(Span::end).reversed()));
        List<Span> apart = new ArrayList<>();
        int end = 0;
        for (Span span : spans) {
            if (span.end() > end) {
                apart.add(new Span(Math.max(end, span.start()), span.end(), span.user()));
                end = span.end();
            }
        }
        return apart;
    }

    private static void named(String text, Matcher matcher, int name, int value, List<Span> into) {
        int from = 0;
        while (from <= text.length() && matcher.find(from)) {
            String shown = matcher.group(value);
            boolean number = RULES.number().matcher(shown).matches() && isCount(matcher.group(name));
            boolean harmless = number || RULES.harmless().matcher(shown).matches();
            if (isSecretPath(matcher.group(name)) && !harmless) {
                boolean quoted = shown.length() > 1 && (shown.startsWith("\"") || shown.startsWith("'"));
                int edge = quoted ? 1 : 0;
                into.add(new Span(matcher.start(value) + edge, matcher.end(value) - edge, false));
            }
            // The value may hold such pairs itself.
            from = matcher.start(value);
        }
    }
}
