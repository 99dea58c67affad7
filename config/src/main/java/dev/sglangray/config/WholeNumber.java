/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.tree.PythonText;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What RLinf's launcher makes of a size: Python's {@code int(value)}, which takes texts, switches and fractions too. */
public final class WholeNumber {
    private static final Pattern DIGITS = Pattern.compile("[+-]?\\d+(_\\d+)*");

    private WholeNumber() {}

    /** The number; empty when Python would refuse the value, or it has more than 32 bits. */
    public static OptionalInt of(@Nullable Object value) {
        if (value instanceof Integer number) {
            return OptionalInt.of(number);
        } else if (value instanceof Boolean truth) {
            return OptionalInt.of(truth ? 1 : 0);
        } else if (value instanceof Double number) {
            double cut = number < 0 ? Math.ceil(number) : Math.floor(number);
            return Math.abs(cut) <= Integer.MAX_VALUE ? OptionalInt.of((int) cut) : OptionalInt.empty();
        } else if (value instanceof String text && DIGITS.matcher(text.strip()).matches()) {
            try {
                return OptionalInt.of(Integer.parseInt(text.strip().replace("_", "")));
            } catch (NumberFormatException e) {
                return OptionalInt.empty();
            }
        }
        return OptionalInt.empty();
    }

    /** Whether Python counts a value as true. */
    public static boolean isTrue(@Nullable Object value) {
        if (value instanceof Boolean truth) {
            return truth;
        } else if (value instanceof Number number) {
            return number.doubleValue() != 0;
        }
        return value != null && !PythonText.str(value).isEmpty();
    }
}
