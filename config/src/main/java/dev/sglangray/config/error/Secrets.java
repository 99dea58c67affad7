/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Keeps values of secret-looking keys out of messages. */
public final class Secrets {
    private static final int LONGEST_VALUE = 120;
    private static final List<String> MARKS = List.of(
            "api_key", "apikey", "token", "secret", "passw", "passphrase", "credential", "authorization", "bearer");

    /** A key of access or of encryption, such as S3_ACCESS_KEY; not the path of one. */
    private static final Pattern KEYS = Pattern.compile("(^|.*_)keys?$");

    private static final Pattern COUNTS = Pattern.compile("tokens|token_", Pattern.CASE_INSENSITIVE);

    private Secrets() {}

    /**
     * Whether a key looks as if its value were secret: it names a key, a token, a secret, a password or a
     * credential. Only the last part of a dotted path counts, and a tokenizer is no token.
     */
    public static boolean isSecret(String key) {
        String name = key.substring(key.lastIndexOf('.') + 1)
                .toLowerCase(Locale.ROOT)
                .replace('-', '_')
                .replace("tokenizer", "");
        return MARKS.stream().anyMatch(name::contains) || KEYS.matcher(name).matches();
    }

    /**
     * Whether this value of this key must not be shown: it is secret, and neither absent nor a switch nor a number of
     * tokens, which {@code max_total_tokens} and its like are.
     */
    public static boolean hides(String key, @Nullable Object value) {
        boolean harmless = value == null
                || value instanceof Boolean
                || (value instanceof Number && COUNTS.matcher(key).find());
        return !harmless && isSecret(key);
    }

    /**
     * A value as it may stand in a message: quoted text or the plain value, shortened; {@code <hidden>} for a
     * secret, see {@link #hides}.
     */
    public static String display(String key, @Nullable Object value) {
        if (hides(key, value)) {
            return "<hidden>";
        }
        String text = value instanceof String s ? "'" + s + "'" : String.valueOf(value);
        return text.length() <= LONGEST_VALUE ? text : text.substring(0, LONGEST_VALUE) + "…";
    }
}
