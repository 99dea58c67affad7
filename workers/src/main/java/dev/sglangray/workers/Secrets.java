/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** Knows the secret values among arguments and variables, and takes them out of texts for people. Immutable. */
final class Secrets {
    private static final Pattern NAMES =
            Pattern.compile("(^|.*_)(key|keys|token|password|passwd|secret|credential|credentials)$");
    private static final int SHORTEST = 4;

    private final List<String> values;

    private Secrets(List<String> values) {
        this.values = values;
    }

    static Secrets of(Map<String, ?> arguments, Map<String, String> environment) {
        List<String> found = new ArrayList<>();
        collect(arguments, found);
        collect(environment, found);
        // Longest first, so that none is cut up by a shorter one inside it.
        found.sort(Comparator.comparingInt(String::length).reversed());
        return new Secrets(List.copyOf(found));
    }

    private static void collect(Map<String, ?> entries, List<String> into) {
        entries.forEach((name, value) -> {
            if (NAMES.matcher(name.toLowerCase(Locale.ROOT)).matches()) {
                add(value, into);
            }
        });
    }

    private static void add(Object value, List<String> into) {
        if (value instanceof Collection<?> many) {
            many.forEach(one -> add(one, into));
        } else if (value instanceof String text && text.length() >= SHORTEST) {
            into.add(text);
        }
    }

    String hide(String text) {
        String result = text;
        for (String value : values) {
            result = result.replace(value, "***");
        }
        return result;
    }
}
