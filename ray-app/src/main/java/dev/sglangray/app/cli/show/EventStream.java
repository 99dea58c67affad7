/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import dev.sglangray.workers.supervision.Event;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The events of a fleet's workers, each once and by time. Not thread-safe. */
public final class EventStream {
    private static final Comparator<Event> BY_TIME =
            Comparator.comparing((Event event) -> Instant.parse(event.time())).thenComparing(Event::number);

    /** A worker's events, from a number on. */
    @FunctionalInterface
    interface Journal extends LongFunction<CompletableFuture<List<Event>>> {}

    private final Questions<List<Event>> questions;
    private final Map<String, Event> last = new HashMap<>();

    public EventStream(Questions<List<Event>> questions) {
        this.questions = questions;
    }

    /** The events since the last call, at first all that the workers keep. */
    public List<Event> next(AttachedFleet fleet) throws InterruptedException {
        Map<String, Journal> journals = new LinkedHashMap<>();
        fleet.router()
                .ifPresent(router -> journals.put(
                        "router",
                        from -> router.events(from).toCompletableFuture().thenApply(lists -> lists.get(0))));
        fleet.servers()
                .ifPresent(servers -> servers.ranks()
                        .forEach(rank -> journals.put(
                                "engine " + rank,
                                from -> servers.on(rank)
                                        .events(from)
                                        .toCompletableFuture()
                                        .thenApply(lists -> lists.get(0)))));
        return next(journals);
    }

    List<Event> next(Map<String, Journal> journals) throws InterruptedException {
        Map<String, Supplier<CompletableFuture<List<Event>>>> asked = new LinkedHashMap<>();
        journals.forEach((name, journal) -> asked.put(name, () -> after(last.get(name), journal)));
        List<Event> events = new ArrayList<>();
        questions.ask(asked).forEach((name, fresh) -> {
            if (!fresh.isEmpty()) {
                last.put(name, fresh.get(fresh.size() - 1));
                events.addAll(fresh);
            }
        });
        events.sort(BY_TIME);
        return events;
    }

    /**
     * What came after an event. The journal of a worker whose process was replaced counts from 0 again; then, as when more events came
     * than are kept, it does not have the event, and all that it has is new.
     */
    private static CompletableFuture<List<Event>> after(@Nullable Event seen, Journal journal) {
        return seen == null
                ? journal.apply(0)
                : journal.apply(seen.number())
                        .thenCompose(
                                events -> !events.isEmpty() && events.get(0).equals(seen)
                                        ? CompletableFuture.completedFuture(events.subList(1, events.size()))
                                        : journal.apply(0));
    }
}
