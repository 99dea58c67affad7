/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.yaml;

import dev.sglangray.config.tree.Numbers;
import java.math.BigInteger;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.nodes.Tag;

/** Values of scalars, as PyYAML's safe constructors make them. */
final class Scalars {
    private static final Map<String, Boolean> BOOLEANS =
            Map.of("yes", true, "no", false, "true", true, "false", false, "on", true, "off", false);
    private static final int SIXTY = 60;

    private Scalars() {}

    /**
     * The value of a scalar.
     *
     * @throws IllegalArgumentException when the text does not fit the tag, or the tag is not for data
     */
    static @Nullable Object value(Tag tag, String text) {
        if (tag.equals(Tag.STR)) {
            return text;
        } else if (tag.equals(Tag.NULL)) {
            return null;
        } else if (tag.equals(Tag.BOOL)) {
            return bool(text);
        } else if (tag.equals(Tag.INT)) {
            return Numbers.narrow(integer(text));
        } else if (tag.equals(Tag.FLOAT)) {
            return real(text);
        } else if (tag.equals(Tag.BINARY)) {
            return Base64Text.decode(text);
        } else if (tag.equals(PythonResolver.VALUE) || tag.equals(Tag.MERGE)) {
            throw new IllegalArgumentException("'" + text + "' is not a value; quote it to use it as text");
        } else if (tag.equals(Tag.TIMESTAMP)) {
            throw new IllegalArgumentException("a configuration cannot hold a timestamp; quote it to use it as text");
        }
        throw new IllegalArgumentException(
                "the tag '" + shorten(tag) + "' is refused: a configuration holds only data");
    }

    public static String shorten(Tag tag) {
        String value = tag.getValue();
        return value.startsWith(Tag.PREFIX) ? "!!" + value.substring(Tag.PREFIX.length()) : value;
    }

    private static boolean bool(String text) {
        Boolean value = BOOLEANS.get(text.toLowerCase(Locale.ROOT));
        if (value == null) {
            throw new IllegalArgumentException("'" + text + "' is not a boolean");
        }
        return value;
    }

    private static BigInteger integer(String text) {
        String digits = text.replace("_", "");
        boolean negative = digits.startsWith("-");
        if (negative || digits.startsWith("+")) {
            digits = digits.substring(1);
        }
        if (digits.length() > Numbers.LONGEST_LITERAL) {
            throw new IllegalArgumentException("an integer of " + digits.length() + " digits is too long");
        }
        BigInteger value;
        try {
            value = magnitude(digits);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' is not an integer", e);
        }
        return negative ? value.negate() : value;
    }

    private static BigInteger magnitude(String digits) {
        if (digits.startsWith("0b")) {
            return new BigInteger(digits.substring(2), 2);
        } else if (digits.startsWith("0x")) {
            return new BigInteger(digits.substring(2), 16);
        } else if (digits.length() > 1 && digits.startsWith("0")) {
            return new BigInteger(digits, 8);
        } else if (digits.indexOf(':') < 0) {
            return new BigInteger(digits);
        }
        BigInteger value = BigInteger.ZERO;
        for (String part : digits.split(":", -1)) {
            value = value.multiply(BigInteger.valueOf(SIXTY)).add(new BigInteger(part));
        }
        return value;
    }

    private static double real(String text) {
        String digits = text.replace("_", "").toLowerCase(Locale.ROOT);
        int sign = digits.startsWith("-") ? -1 : 1;
        if (digits.startsWith("-") || digits.startsWith("+")) {
            digits = digits.substring(1);
        }
        if (digits.equals(".inf") || digits.equals("inf") || digits.equals("infinity")) {
            return sign * Double.POSITIVE_INFINITY;
        }
        if (digits.equals(".nan") || digits.equals("nan")) {
            return Double.NaN;
        }
        if (digits.isEmpty() || !digits.chars().allMatch(c -> "0123456789.e+-:".indexOf(c) >= 0)) {
            throw new IllegalArgumentException("'" + text + "' is not a number");
        }
        try {
            return sign * sexagesimal(digits);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' is not a number", e);
        }
    }

    /** Adds from the smallest part up, so that rounding is the same as in PyYAML. */
    private static double sexagesimal(String digits) {
        String[] parts = digits.split(":", -1);
        double value = 0;
        double base = 1;
        for (int i = parts.length - 1; i >= 0; i--) {
            value += Double.parseDouble(parts[i]) * base;
            base *= SIXTY;
        }
        return value;
    }
}
