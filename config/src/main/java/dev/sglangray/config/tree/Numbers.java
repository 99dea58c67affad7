/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import java.math.BigInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Integers of any size, kept in the smallest Java type that holds them. */
public final class Numbers {
    /** More digits than this are no configuration; parsing them would only cost time. */
    public static final int LONGEST_LITERAL = 1_000;

    private static final Pattern PYTHON_INT = Pattern.compile("[+-]?[0-9]++(?:_[0-9]++)*+");

    private Numbers() {}

    /** The integer as Integer, Long or BigInteger. */
    public static Number narrow(BigInteger value) {
        if (value.bitLength() < Integer.SIZE) {
            return value.intValue();
        }
        return value.bitLength() < Long.SIZE ? value.longValue() : value;
    }

    public static boolean isInteger(@Nullable Object value) {
        return value instanceof Integer || value instanceof Long || value instanceof BigInteger;
    }

    /** The integer as BigInteger. The value must be one of the three integer types. */
    public static BigInteger big(Object value) {
        return value instanceof BigInteger big ? big : BigInteger.valueOf(((Number) value).longValue());
    }

    /** Reads what Python's {@code int(text)} reads; null for anything else. */
    public static @Nullable BigInteger parsePythonInt(String text) {
        String trimmed = text.strip();
        if (trimmed.length() > LONGEST_LITERAL || !PYTHON_INT.matcher(trimmed).matches()) {
            return null;
        }
        return new BigInteger(trimmed.replace("_", ""));
    }

    static @Nullable Integer parseIndex(String text) {
        BigInteger value = parsePythonInt(text);
        return value == null || value.bitLength() >= Integer.SIZE ? null : value.intValue();
    }
}
