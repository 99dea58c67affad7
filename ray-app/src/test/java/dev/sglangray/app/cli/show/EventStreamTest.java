/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.supervision.Event;
import dev.sglangray.workers.supervision.EventKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class EventStreamTest {
    private final List<Event> router = new ArrayList<>();
    private final List<Event> engine = new ArrayList<>();
    private final List<Long> asked = new ArrayList<>();
    private final EventStream stream =
            new EventStream(new Questions<>(away -> {}, Duration.ofSeconds(1), Duration.ZERO, System::nanoTime));

    private static void add(List<Event> journal, String time, String text) {
        long number = journal.isEmpty() ? 0 : journal.get(journal.size() - 1).number() + 1;
        journal.add(new Event(number, "2026-01-01T00:00:" + time + "Z", "w", EventKind.SERVER, text));
    }

    private List<String> next() throws InterruptedException {
        Map<String, EventStream.Journal> journals = new LinkedHashMap<>();
        journals.put("router", from -> answer(router, from));
        journals.put("engine 0", from -> {
            asked.add(from);
            return answer(engine, from);
        });
        return stream.next(journals).stream().map(Event::text).toList();
    }

    private static CompletableFuture<List<Event>> answer(List<Event> journal, long from) {
        return CompletableFuture.completedFuture(
                journal.stream().filter(event -> event.number() >= from).toList());
    }

    @Test
    void eachEventComesOnceAndByTime() throws InterruptedException {
        add(router, "01", "r0");
        add(router, "03.500", "r1");
        add(engine, "02", "e0");
        add(engine, "03", "e1");
        assertThat(next()).as("a whole second has no fraction").containsExactly("r0", "e0", "e1", "r1");
        assertThat(next()).isEmpty();
        add(engine, "05", "e2");
        add(router, "04", "r2");
        assertThat(next()).containsExactly("r2", "e2");
        assertThat(asked).as("only from the last event on").containsExactly(0L, 1L, 1L);
    }

    @Test
    void theJournalOfANewProcessIsNewAlsoWhereItIsShorterOrLonger() throws InterruptedException {
        add(engine, "01", "e0");
        add(engine, "02", "e1");
        assertThat(next()).hasSize(2);
        engine.clear();
        add(engine, "03", "shorter");
        assertThat(next()).containsExactly("shorter");
        assertThat(next()).isEmpty();
        engine.clear();
        add(engine, "04", "a");
        add(engine, "05", "b");
        assertThat(next()).as("number 0 is there again").containsExactly("a", "b");
        assertThat(next()).isEmpty();
    }

    @Test
    void whatTheJournalDroppedDoesNotStopTheRest() throws InterruptedException {
        add(engine, "01", "e0");
        assertThat(next()).hasSize(1);
        add(engine, "02", "lost");
        add(engine, "03", "kept");
        engine.subList(0, 2).clear();
        assertThat(next()).containsExactly("kept");
    }
}
