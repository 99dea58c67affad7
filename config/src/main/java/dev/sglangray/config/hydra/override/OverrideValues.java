/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import dev.sglangray.config.tree.Numbers;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What unquoted values of overrides mean. */
final class OverrideValues {
    private OverrideValues() {}

    /** The value of a run of tokens: typed when it is one token, else their text, without spaces at the ends. */
    static @Nullable Object primitive(List<OverrideToken> run) {
        int from = run.get(0).type() == OverrideTokenType.SPACE ? 1 : 0;
        int to = run.size();
        if (to > 0 && run.get(to - 1).type() == OverrideTokenType.SPACE) {
            to--;
        }
        if (from >= to) {
            throw new OverrideSyntaxException(
                    "a value of spaces only must be quoted", run.get(0).start());
        }
        if (to - from == 1) {
            return single(run.get(from));
        }
        StringBuilder text = new StringBuilder();
        run.subList(from, to).forEach(token -> text.append(unescaped(token)));
        return text.toString();
    }

    private static @Nullable Object single(OverrideToken token) {
        String text = token.text();
        return switch (token.type()) {
            case NULL -> null;
            case BOOLEAN -> text.equalsIgnoreCase("true");
            case INTEGER -> integer(token);
            case FLOAT -> real(text);
            default -> unescaped(token);
        };
    }

    private static Number integer(OverrideToken token) {
        BigInteger value = Numbers.parsePythonInt(token.text());
        if (value == null) {
            throw new OverrideSyntaxException("the integer is too long", token.start());
        }
        return Numbers.narrow(value);
    }

    /** Reads what Python's {@code float} reads from a number's text. */
    static double real(String text) {
        String plain = text.strip().replace("_", "").toLowerCase(Locale.ROOT);
        String unsigned = plain.startsWith("-") || plain.startsWith("+") ? plain.substring(1) : plain;
        if (unsigned.equals("inf") || unsigned.equals("infinity")) {
            return plain.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        if (unsigned.equals("nan")) {
            return Double.NaN;
        }
        if (!unsigned.chars().allMatch(c -> "0123456789.e+-".indexOf(c) >= 0)) {
            throw new NumberFormatException("not a number: " + text);
        }
        return Double.parseDouble(plain);
    }

    private static String unescaped(OverrideToken token) {
        if (token.type() != OverrideTokenType.ESCAPE) {
            return token.text();
        }
        StringBuilder kept = new StringBuilder();
        for (int i = 1; i < token.text().length(); i += 2) {
            kept.append(token.text().charAt(i));
        }
        return kept.toString();
    }
}
