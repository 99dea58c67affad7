/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What holds a process back at the moment, each with its words, and an end in case nobody lifts it. Not thread-safe. */
final class Holds {
    private record Entry(String why, Instant until) {}

    private final Map<Hold, Entry> entries = new EnumMap<>(Hold.class);

    /** Null for the words lifts it; null for the end means for ever. */
    void set(Hold hold, @Nullable String why, @Nullable Instant until) {
        if (why == null) {
            entries.remove(hold);
        } else {
            entries.put(hold, new Entry(why, until == null ? Instant.MAX : until));
        }
    }

    /** Lifts what has come to its end; says which. */
    List<Hold> expire(Instant now) {
        List<Hold> over = entries.entrySet().stream()
                .filter(entry -> !now.isBefore(entry.getValue().until()))
                .map(Map.Entry::getKey)
                .toList();
        over.forEach(entries::remove);
        return over;
    }

    boolean withhold() {
        return entries.keySet().stream().anyMatch(Hold::withholds);
    }

    boolean blockStart() {
        return entries.keySet().stream().anyMatch(Hold::blocksStart);
    }

    boolean isEmpty() {
        return entries.isEmpty();
    }

    Instant due() {
        return entries.values().stream()
                .map(Entry::until)
                .min(Instant::compareTo)
                .orElse(Instant.MAX);
    }

    /** The words of each. */
    Map<Hold, String> view() {
        Map<Hold, String> view = new EnumMap<>(Hold.class);
        entries.forEach((hold, entry) -> view.put(hold, entry.why()));
        return view;
    }
}
