/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra.override;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A quoted text of an override, which functions treat as text even where it looks like a number. */
record Quoted(String text) {
    private static final Pattern SINGLE = Pattern.compile("\\\\++'");
    private static final Pattern DOUBLE = Pattern.compile("\\\\++\"");

    /** Undoes the quoting: only backslashes before a quote are escapes. */
    static Quoted of(String quoted) {
        Pattern escaped = quoted.charAt(0) == '\'' ? SINGLE : DOUBLE;
        // The closing quote stays until the end, because backslashes before it are escapes too.
        String rest = quoted.substring(1);
        StringBuilder text = new StringBuilder();
        Matcher matcher = escaped.matcher(rest);
        int from = 0;
        while (matcher.find()) {
            text.append(rest, from, matcher.start());
            for (int i = matcher.start() + 1; i < matcher.end(); i += 2) {
                text.append(rest.charAt(i));
            }
            from = matcher.end();
        }
        if (from < rest.length()) {
            text.append(rest, from, rest.length() - 1);
        }
        return new Quoted(text.toString());
    }

    /** The value with texts instead of quoted texts, through lists and maps. */
    public static @Nullable Object strip(@Nullable Object value) {
        if (value instanceof Quoted quoted) {
            return quoted.text();
        } else if (value instanceof List<?> list) {
            List<@Nullable Object> plain = new ArrayList<>();
            list.forEach(item -> plain.add(strip(item)));
            return plain;
        } else if (value instanceof Map<?, ?> map) {
            Map<@Nullable Object, @Nullable Object> plain = new LinkedHashMap<>();
            map.forEach((key, item) -> plain.put(strip(key), strip(item)));
            return plain;
        }
        return value;
    }
}
