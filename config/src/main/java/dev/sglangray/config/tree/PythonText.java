/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.tree;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The text that Python's {@code str} and {@code repr} give for a value; interpolated texts are made of these. */
public final class PythonText {
    private static final int DOUBLE_DIGITS = 17;

    private PythonText() {}

    /** As Python's {@code str(value)}: texts as they are, {@code None}, {@code True}, {@code 1e-05}, {@code [1, 'a']}. */
    public static String str(@Nullable Object value) {
        return value instanceof String text ? text : repr(value);
    }

    /** As Python's {@code repr(value)}; interpolations inside containers stay unresolved, as OmegaConf prints them. */
    public static String repr(@Nullable Object value) {
        if (value == null) {
            return "None";
        }
        if (value instanceof Boolean truth) {
            return truth ? "True" : "False";
        }
        if (value instanceof Double number) {
            return repr((double) number);
        }
        if (value instanceof String text) {
            return quote(text);
        }
        if (value instanceof byte[] bytes) {
            return bytes(bytes);
        }
        if (value instanceof ValueNode node) {
            return repr(node.value());
        }
        if (value instanceof ListNode node) {
            return list(node.items());
        }
        if (value instanceof MapNode node) {
            return map(node.entries());
        }
        if (value instanceof List<?> items) {
            return list(items);
        }
        return value instanceof Map<?, ?> entries ? map(entries) : value.toString();
    }

    private static String list(List<?> items) {
        return items.stream().map(PythonText::repr).collect(Collectors.joining(", ", "[", "]"));
    }

    private static String map(Map<?, ?> entries) {
        return entries.entrySet().stream()
                .map(entry -> repr(entry.getKey()) + ": " + repr(entry.getValue()))
                .collect(Collectors.joining(", ", "{", "}"));
    }

    /** The shortest decimal that reads back as the same double; Java 17's own text is not always the shortest. */
    private static String repr(double number) {
        if (Double.isNaN(number)) {
            return "nan";
        }
        if (Double.isInfinite(number)) {
            return number > 0 ? "inf" : "-inf";
        }
        if (number == 0) {
            return 1 / number > 0 ? "0.0" : "-0.0";
        }
        BigDecimal exact = new BigDecimal(number);
        BigDecimal shortest = exact;
        for (int digits = 1; digits <= DOUBLE_DIGITS; digits++) {
            shortest = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (shortest.doubleValue() == number) {
                break;
            }
        }
        return layOut(shortest);
    }

    private static String layOut(BigDecimal number) {
        BigDecimal stripped = number.stripTrailingZeros();
        int exponent = stripped.precision() - stripped.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = stripped.toPlainString();
            return plain.indexOf('.') < 0 ? plain + ".0" : plain;
        }
        String digits = stripped.unscaledValue().abs().toString();
        String mantissa = digits.length() == 1 ? digits : digits.charAt(0) + "." + digits.substring(1);
        String sign = stripped.signum() < 0 ? "-" : "";
        return sign
                + mantissa
                + (exponent < 0 ? "e-" : "e+")
                + (Math.abs(exponent) < 10 ? "0" : "")
                + Math.abs(exponent);
    }

    private static String quote(String text) {
        char mark = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        StringBuilder quoted = new StringBuilder().append(mark);
        text.codePoints().forEach(c -> appendEscaped(quoted, c, mark));
        return quoted.append(mark).toString();
    }

    private static void appendEscaped(StringBuilder out, int c, char mark) {
        switch (c) {
            case '\\' -> out.append("\\\\");
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            default -> {
                if (c == mark) {
                    out.append('\\').append(mark);
                } else if (c < ' ' || c == 0x7f) {
                    out.append(String.format("\\x%02x", c));
                } else {
                    out.appendCodePoint(c);
                }
            }
        }
    }

    private static String bytes(byte[] bytes) {
        StringBuilder text = new StringBuilder("b'");
        for (byte b : bytes) {
            int c = b & 0xff;
            if (c > '~') {
                text.append(String.format("\\x%02x", c));
            } else {
                appendEscaped(text, c, '\'');
            }
        }
        return text.append('\'').toString();
    }
}
