/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.config.tree.PythonText;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.rank.RankText;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads conditions on Ray labels: a text in Kubernetes' form, {@code "gpu in (h100, h200), zone!=z1, spot, !old"}, or a
 * mapping of labels to a value, a list of values, or a text in Ray's form ({@code "in(a,b)"}, {@code "!in(a,b)"},
 * {@code "!a"}).
 */
final class LabelSelector {
    private static final String NAME = "([A-Za-z0-9][-A-Za-z0-9_./]*)";
    private static final Pattern SET = Pattern.compile(NAME + "\\s+(in|notin)\\s*\\(([^()]*)\\)");
    private static final Pattern EQUALITY = Pattern.compile(NAME + "\\s*(==|=|!=)\\s*([-A-Za-z0-9_./]*)");
    private static final Pattern PRESENCE = Pattern.compile("(!?)\\s*" + NAME);
    private static final Pattern RAY_SET = Pattern.compile("(!?)\\s*in\\s*\\(([^()]*)\\)");

    private LabelSelector() {}

    /**
     * The conditions, all of which must hold.
     *
     * @throws PlacementException when they cannot be read, or there is none
     */
    static List<LabelTerm> parse(@Nullable Object selector) {
        List<LabelTerm> terms = new ArrayList<>();
        if (selector instanceof Map<?, ?> mapping) {
            mapping.forEach((key, value) -> terms.add(ofMapping(PythonText.str(key), value)));
        } else if (selector instanceof String text) {
            for (String part : parts(text)) {
                terms.add(ofText(part, text));
            }
        }
        if (terms.isEmpty()) {
            throw refusal(PythonText.str(selector), "names no labels");
        }
        return List.copyOf(terms);
    }

    private static LabelTerm ofMapping(String key, @Nullable Object value) {
        if (value instanceof List<?> list) {
            Set<String> values = new LinkedHashSet<>();
            list.forEach(item -> values.add(text(item)));
            return term(key, LabelTerm.Operator.IN, values, key);
        }
        if (value == null || value instanceof Map) {
            throw refusal(key, "needs a value or a list of values, not " + PythonText.str(value));
        }
        String text = text(value);
        Matcher set = RAY_SET.matcher(text);
        if (set.matches()) {
            boolean not = !set.group(1).isEmpty();
            return term(
                    key,
                    not ? LabelTerm.Operator.NOT_IN : LabelTerm.Operator.IN,
                    values(set.group(2)),
                    key + ": " + text);
        }
        return text.startsWith("!")
                ? new LabelTerm(key, LabelTerm.Operator.NOT_IN, Set.of(RankText.strip(text.substring(1))))
                : new LabelTerm(key, LabelTerm.Operator.IN, Set.of(text));
    }

    // Labels are texts: what YAML takes for a switch is the word that was written.
    private static String text(Object value) {
        return value instanceof Boolean ? value.toString() : PythonText.str(value);
    }

    private static LabelTerm ofText(String part, String whole) {
        Matcher set = SET.matcher(part);
        if (set.matches()) {
            LabelTerm.Operator operator = set.group(2).equals("in") ? LabelTerm.Operator.IN : LabelTerm.Operator.NOT_IN;
            return term(set.group(1), operator, values(set.group(3)), part);
        }
        Matcher equality = EQUALITY.matcher(part);
        if (equality.matches()) {
            boolean not = equality.group(2).equals("!=");
            return new LabelTerm(
                    equality.group(1),
                    not ? LabelTerm.Operator.NOT_IN : LabelTerm.Operator.IN,
                    Set.of(equality.group(3)));
        }
        Matcher presence = PRESENCE.matcher(part);
        if (presence.matches()) {
            boolean not = !presence.group(1).isEmpty();
            return new LabelTerm(
                    presence.group(2), not ? LabelTerm.Operator.ABSENT : LabelTerm.Operator.EXISTS, Set.of());
        }
        throw refusal(
                whole,
                "cannot be read at \"%s\"; expected key=value, key!=value, key in (a, b), key notin (a, b), key or !key"
                        .formatted(part));
    }

    private static LabelTerm term(String key, LabelTerm.Operator operator, Set<String> values, String seen) {
        if (values.isEmpty()) {
            throw refusal(seen, "names no values");
        }
        return new LabelTerm(key, operator, values);
    }

    private static Set<String> values(String list) {
        Set<String> values = new LinkedHashSet<>();
        Arrays.stream(list.split(",", -1))
                .map(RankText::strip)
                .filter(value -> !value.isEmpty())
                .forEach(values::add);
        return values;
    }

    /** The parts between commas that are not in parentheses. */
    private static List<String> parts(String text) {
        List<String> parts = new ArrayList<>();
        int depth = 0;
        int start = 0;
        for (int i = 0; i <= text.length(); i++) {
            char c = i == text.length() ? ',' : text.charAt(i);
            if (c == '(') {
                depth++;
            } else if (c == ')') {
                depth--;
            } else if (c == ',' && (depth <= 0 || i == text.length())) {
                String part = RankText.strip(text.substring(start, i));
                if (!part.isEmpty()) {
                    parts.add(part);
                }
                start = i + 1;
            }
        }
        return parts;
    }

    private static PlacementException refusal(String seen, String message) {
        return PlacementException.of("the label selector \"%s\" %s".formatted(seen, message));
    }
}
