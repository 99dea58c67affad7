/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.rank;

import dev.sglangray.config.tree.PythonText;
import dev.sglangray.placement.PlacementException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.OptionalInt;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Rank expressions as in RLinf: {@code "0-3,5,7-9"}, a single number, or {@code "all"}.
 *
 * <p>Ranks come back sorted and without repeats. White space around numbers and empty parts between
 * commas are allowed. Numbers are read as Python's {@code int()} reads them.
 */
public final class RankExpression {
    private static final String FORM = "expected a form like \"0-3,5\" or \"all\"";

    /** More than any cluster has; longer ranges are slips, and would fill the memory. */
    private static final int MOST = 1_000_000;

    private RankExpression() {}

    /**
     * Parses an expression.
     *
     * @param expression text or whole number, as YAML gives it; anything else is refused
     * @param available the ranks that exist, or null when any rank may be named (then {@code "all"} is refused)
     * @param kind what is counted, for messages, such as {@code "node"}
     * @return the ranks, ascending; empty only when the expression names none
     * @throws PlacementException when it cannot be read or names a rank outside of {@code available}
     */
    public static List<Integer> parse(
            @Nullable Object expression, @Nullable Collection<Integer> available, @Nullable String kind) {
        return within(expression, available == null ? null : Known.of(available), kind);
    }

    /**
     * The ranks that exist; only the lowest and the highest bound an expression, as in the original.
     *
     * @param listed all of them, or null when none is missing between the two
     */
    public record Known(int first, int last, @Nullable List<Integer> listed) {
        /** The ranks from 0, so many. */
        public static Known upTo(int count) {
            return new Known(0, count - 1, null);
        }

        public static Known of(Collection<Integer> ranks) {
            NavigableSet<Integer> sorted = new TreeSet<>(ranks);
            return sorted.isEmpty() ? upTo(0) : new Known(sorted.first(), sorted.last(), List.copyOf(sorted));
        }

        boolean isEmpty() {
            return last < first;
        }

        List<Integer> all() {
            return listed == null ? IntStream.rangeClosed(first, last).boxed().toList() : listed;
        }

        @Override
        public String toString() {
            return listed != null ? describe(listed) : isEmpty() ? "none" : range(first, last);
        }
    }

    /** As {@link #parse(Object, Collection, String)}, for many expressions over the same ranks. */
    public static List<Integer> within(@Nullable Object expression, @Nullable Known known, @Nullable String kind) {
        String what = kind == null ? "rank" : kind + " rank";
        if (!(expression instanceof String) && !isWhole(expression)) {
            throw PlacementException.of("a %s expression must be text or a whole number, not %s; %s"
                    .formatted(what, PythonText.str(expression), FORM));
        }
        String text = PythonText.str(expression);
        if (text.toLowerCase(Locale.ROOT).equals("all")) {
            if (known == null) {
                throw PlacementException.of("\"all\" has no meaning here: these %ss must be numbered".formatted(what));
            }
            return known.all();
        }
        NavigableSet<Integer> ranks = new TreeSet<>();
        for (String part : text.split(",", -1)) {
            String range = RankText.strip(part);
            if (!range.isEmpty()) {
                addRange(range, text, known, what, ranks);
            }
        }
        return List.copyOf(ranks);
    }

    private static void addRange(
            String range, String text, @Nullable Known known, String what, NavigableSet<Integer> ranks) {
        String[] ends = range.split("-", -1);
        OptionalInt first = RankText.parseInt(ends[0]);
        OptionalInt last = ends.length == 2 ? RankText.parseInt(ends[1]) : first;
        if (ends.length > 2 || first.isEmpty() || last.isEmpty()) {
            throw PlacementException.of("\"%s\" is not a %s expression; %s".formatted(text, what, FORM));
        }
        int start = first.getAsInt();
        int end = last.getAsInt();
        if (end < start) {
            throw PlacementException.of("in \"%s\" the range %d-%d runs backwards".formatted(text, start, end));
        }
        if (known != null) {
            requireKnown(start, known, text, what);
            requireKnown(end, known, text, what);
        }
        if (end - start >= MOST) {
            throw PlacementException.of(
                    "in \"%s\" the range %d-%d has more than %d ranks".formatted(text, start, end, MOST));
        }
        for (int rank = start; rank <= end; rank++) {
            ranks.add(rank);
        }
    }

    private static void requireKnown(int rank, Known known, String text, String what) {
        if (known.isEmpty()) {
            throw PlacementException.of("\"%s\" names %s %d, but there is none".formatted(text, what, rank));
        }
        if (rank < known.first() || rank > known.last()) {
            throw PlacementException.builder(
                            "\"%s\" names %s %d, which does not exist; there are %s".formatted(text, what, rank, known))
                    .fix(
                            rank >= 60 && text.equals(String.valueOf(rank))
                                    ? "(Unquoted, %d:%02d is the number %d in YAML 1.1: put placements with a colon in quotes.)"
                                            .formatted(rank / 60, rank % 60, rank)
                                    : null)
                    .build();
        }
    }

    /** Ranks as people write them: {@code "0-3,5"}. */
    public static String describe(Collection<Integer> ranks) {
        List<String> parts = new ArrayList<>();
        Integer start = null;
        Integer previous = null;
        for (int rank : new TreeSet<>(ranks)) {
            if (start == null || previous == null) {
                start = rank;
            } else if (rank != previous + 1) {
                parts.add(range(start, previous));
                start = rank;
            }
            previous = rank;
        }
        if (start != null && previous != null) {
            parts.add(range(start, previous));
        }
        return parts.isEmpty() ? "none" : String.join(",", parts);
    }

    private static String range(int start, int end) {
        return start == end ? String.valueOf(start) : start + "-" + end;
    }

    private static boolean isWhole(@Nullable Object value) {
        return value instanceof Integer
                || value instanceof Long
                || value instanceof Short
                || value instanceof Byte
                || value instanceof java.math.BigInteger;
    }
}
