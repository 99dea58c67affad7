/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The few text rules of Python that decide how the original reads a rank or a label: what counts as
 * white space, what {@code int()} accepts and what {@code str()} makes of a YAML scalar.
 */
final class PythonText {
    /** Ranks beyond this are refused: no cluster has them, and a range up to them would fill the memory. */
    static final int MAX_INT = 9_999_999;

    private PythonText() {}

    /** {@code str.strip()}: also removes the no-break space and the other separators that Java's strip keeps. */
    static String strip(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && isSpace(text.charAt(start))) {
            start++;
        }
        while (end > start && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }

    /**
     * {@code int(text)}: white space around, a sign, decimal digits of any script, single underscores
     * between digits. Empty when Python would refuse it or the value is not within ±{@link #MAX_INT}.
     */
    static OptionalInt parseInt(String text) {
        String body = strip(text);
        boolean negative = body.startsWith("-");
        if (negative || body.startsWith("+")) {
            body = body.substring(1);
        }
        long value = 0;
        boolean digitBefore = false;
        for (int i = 0; i < body.length(); ) {
            int codePoint = body.codePointAt(i);
            i += Character.charCount(codePoint);
            if (codePoint == '_' && digitBefore && i < body.length()) {
                digitBefore = false;
                continue;
            }
            if (Character.getType(codePoint) != Character.DECIMAL_DIGIT_NUMBER) {
                return OptionalInt.empty();
            }
            value = value * 10 + Character.digit(codePoint, 10);
            if (value > MAX_INT) {
                return OptionalInt.empty();
            }
            digitBefore = true;
        }
        return digitBefore ? OptionalInt.of((int) (negative ? -value : value)) : OptionalInt.empty();
    }

    /** {@code str(value)} of a scalar that YAML can give. */
    static String str(@Nullable Object value) {
        if (value == null) {
            return "None";
        }
        if (value instanceof Boolean flag) {
            return flag ? "True" : "False";
        }
        if (value instanceof Double || value instanceof Float) {
            return str(((Number) value).doubleValue());
        }
        return value.toString();
    }

    private static String str(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = shortest(value).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = shortest.toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String digits = shortest.unscaledValue().abs().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        return (value < 0 ? "-" : "")
                + mantissa
                + "e"
                + (exponent < 0 ? "-" : "+")
                + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }

    private static BigDecimal shortest(double value) {
        BigDecimal exact = new BigDecimal(value);
        for (int digits = 1; digits < 17; digits++) {
            BigDecimal rounded = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (rounded.doubleValue() == value) {
                return rounded;
            }
        }
        return exact.round(new MathContext(17, RoundingMode.HALF_EVEN));
    }
}
