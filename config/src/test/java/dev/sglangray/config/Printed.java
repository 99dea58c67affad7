/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.tree.PythonText;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Values as text: in YAML's flow style, and as values of overrides. */
final class Printed {
    private static final Pattern OPENING = Pattern.compile("(\\\\*)\\$\\{");
    private static final Pattern BEFORE_QUOTE = Pattern.compile("(\\\\*)('|$)");

    private Printed() {}

    static String yaml(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> yaml(entry.getKey()) + ": " + yaml(entry.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        } else if (value instanceof List<?> list) {
            return list.stream().map(Printed::yaml).collect(Collectors.joining(", ", "[", "]"));
        } else if (value instanceof String text) {
            return "\""
                    + escapeInterpolations(text)
                            .replace("\\", "\\\\")
                            .replace("\"", "\\\"")
                            .replace("\n", "\\n")
                            .replace("\t", "\\t")
                    + "\"";
        }
        return scalar(value);
    }

    static String override(@Nullable Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> entry.getKey() + ":" + override(entry.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        } else if (value instanceof List<?> list) {
            return list.stream().map(Printed::override).collect(Collectors.joining(",", "[", "]"));
        } else if (value instanceof String text) {
            // Backslashes are escapes only before a quote, the closing one included.
            Matcher matcher = BEFORE_QUOTE.matcher(escapeInterpolations(text));
            return "'"
                    + matcher.replaceAll(match -> Matcher.quoteReplacement(
                            match.group(1) + match.group(1) + (match.group(2).isEmpty() ? "" : "\\'")))
                    + "'";
        }
        return scalar(value);
    }

    /** A backslash before each opening, and those before it doubled. */
    private static String escapeInterpolations(String text) {
        return OPENING.matcher(text)
                .replaceAll(match -> Matcher.quoteReplacement(match.group(1) + match.group(1) + "\\${"));
    }

    private static String scalar(@Nullable Object value) {
        if (value == null) {
            return "null";
        }
        return value instanceof Boolean ? value.toString() : PythonText.str(value);
    }
}
