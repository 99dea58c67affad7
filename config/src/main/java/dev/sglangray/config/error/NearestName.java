/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.error;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what a misspelt name was probably meant to be. */
public final class NearestName {
    private NearestName() {}

    /**
     * The candidate nearest to a name, if one is near enough to be worth suggesting: at most a third of the name's
     * length in insertions, deletions, substitutions and swaps of neighbours, ignoring case and treating {@code -} as
     * {@code _}; or one that begins with the name.
     *
     * @param name what was written
     * @param candidates what would have been valid
     * @return the nearest; among equals the first in alphabetical order
     */
    public static Optional<String> nearest(String name, Collection<String> candidates) {
        String wanted = normal(name);
        int limit = Math.max(1, wanted.length() / 3);
        return candidates.stream()
                .map(candidate -> new Scored(candidate, score(wanted, normal(candidate), limit)))
                .filter(scored -> scored.distance() <= limit)
                .min(Comparator.comparingInt(Scored::distance).thenComparing(Scored::candidate))
                .map(Scored::candidate);
    }

    /** Advice of the form {@code did you mean 'x'?}, or an empty text when no candidate is near. */
    public static String didYouMean(String name, Collection<String> candidates) {
        return nearest(name, candidates)
                .map(found -> "did you mean '" + found + "'?")
                .orElse("");
    }

    private record Scored(String candidate, int distance) {}

    private static int score(String wanted, String candidate, int limit) {
        if (wanted.length() >= 4 && candidate.startsWith(wanted)) {
            return limit;
        }
        if (Math.abs(wanted.length() - candidate.length()) > limit) {
            return Integer.MAX_VALUE;
        }
        return distance(wanted, candidate);
    }

    private static String normal(String name) {
        return name.toLowerCase(Locale.ROOT).replace('-', '_');
    }

    /** Optimal string alignment distance, in three rows. */
    private static int distance(String a, String b) {
        int[] beforeLast = new int[b.length() + 1];
        int[] last = new int[b.length() + 1];
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            last[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j - 1], last[j]) + 1, last[j - 1] + change);
                if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
                    row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
                }
            }
            int[] spare = beforeLast;
            beforeLast = last;
            last = row;
            row = spare;
        }
        return last[b.length()];
    }
}
