/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.rank;

import java.util.OptionalInt;

/** How RLinf reads the text of a rank, by Python's rules: what counts as white space, and what is a whole number. */
public final class RankText {
    /** Ranks beyond this are refused: no cluster has them, and a range up to them would fill the memory. */
    static final int MAX_INT = 9_999_999;

    private RankText() {}

    /** {@code str.strip()}: also removes the no-break space and the other separators that Java's strip keeps. */
    public static String strip(String text) {
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
    public static OptionalInt parseInt(String text) {
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
}
