/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import dev.sglangray.config.tree.Numbers;
import java.math.BigInteger;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What tokens mean once escapes are undone. */
final class Escapes {
    private Escapes() {}

    /**
     * The text of a token within a longer text.
     *
     * @param following the type of the token behind it; END when there is none
     */
    static String undo(Token token, TokenType following) {
        String text = token.text();
        return switch (token.type()) {
            case ESCAPED_OPEN -> text.substring(text.length() - (text.length() / 2 + 1));
            case ESCAPE -> everySecond(text);
            case TOP_ESCAPE -> following == TokenType.OPEN ? everySecond(text) : text;
            case QUOTED_ESCAPE -> following == TokenType.OPEN || following == TokenType.END ? everySecond(text) : text;
            default -> text;
        };
    }

    /** The value of a token that stands alone. */
    static @Nullable Object primitive(Token token) {
        String text = token.text();
        return switch (token.type()) {
            case NULL -> null;
            case BOOLEAN -> text.equalsIgnoreCase("true");
            case INTEGER -> integer(token);
            case FLOAT -> real(text);
            default -> undo(token, TokenType.END);
        };
    }

    private static Number integer(Token token) {
        BigInteger value = Numbers.parsePythonInt(token.text());
        if (value == null) {
            throw new GrammarException("the integer is too long", token.start());
        }
        return Numbers.narrow(value);
    }

    private static double real(String text) {
        String plain = text.replace("_", "").toLowerCase(Locale.ROOT);
        if (plain.endsWith("inf")) {
            return plain.startsWith("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
        }
        return plain.endsWith("nan") ? Double.NaN : Double.parseDouble(plain);
    }

    private static String everySecond(String text) {
        StringBuilder kept = new StringBuilder();
        for (int i = 1; i < text.length(); i += 2) {
            kept.append(text.charAt(i));
        }
        return kept.toString();
    }
}
