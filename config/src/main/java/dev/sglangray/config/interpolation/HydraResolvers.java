/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The resolvers that Hydra registers: {@code now}, with one time for the whole configuration. */
final class HydraResolvers {
    /** Python's directives, with the pattern of the same meaning. */
    private static final Map<Character, String> DIRECTIVES = Map.ofEntries(
            Map.entry('Y', "uuuu"),
            Map.entry('y', "uu"),
            Map.entry('m', "MM"),
            Map.entry('d', "dd"),
            Map.entry('H', "HH"),
            Map.entry('I', "hh"),
            Map.entry('M', "mm"),
            Map.entry('S', "ss"),
            Map.entry('f', "SSSSSS"),
            Map.entry('j', "DDD"),
            Map.entry('p', "a"),
            Map.entry('a', "EEE"),
            Map.entry('A', "EEEE"),
            Map.entry('b', "MMM"),
            Map.entry('B', "MMMM"),
            Map.entry('F', "uuuu-MM-dd"),
            Map.entry('T', "HH:mm:ss"));

    private HydraResolvers() {}

    static Map<String, Resolver> all(ZonedDateTime now) {
        return Map.of("now", (site, arguments) -> now(now, arguments));
    }

    private static String now(ZonedDateTime now, List<@Nullable Object> arguments) {
        BuiltinResolvers.arity("now", arguments, 1, 1);
        return format(now, BuiltinResolvers.text("now", arguments.get(0)));
    }

    private static String format(ZonedDateTime now, String pattern) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            if (c != '%' || i + 1 == pattern.length()) {
                text.append(c);
                continue;
            }
            char directive = pattern.charAt(++i);
            String java = DIRECTIVES.get(directive);
            if (directive == '%') {
                text.append('%');
            } else if (java != null) {
                text.append(DateTimeFormatter.ofPattern(java, Locale.ROOT).format(now));
            } else {
                throw new ResolutionException("'now' does not know %" + directive);
            }
        }
        return text.toString();
    }
}
