/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The last events of a worker, also written to its log. Safe for use by many threads. */
public final class EventJournal implements EventSink {
    private static final Logger LOG = LoggerFactory.getLogger(EventJournal.class);
    private static final int CAPACITY = 500;

    private final String worker;
    private final InstantSource clock;
    private final UnaryOperator<String> cleaned;
    private final Deque<Event> events = new ArrayDeque<>();
    private long next;

    /**
     * An empty journal.
     *
     * @param cleaned takes secrets out of a text
     */
    public EventJournal(String worker, InstantSource clock, UnaryOperator<String> cleaned) {
        this.worker = worker;
        this.clock = clock;
        this.cleaned = cleaned;
    }

    @Override
    public void add(EventKind kind, String text) {
        String time = clock.instant().truncatedTo(ChronoUnit.MILLIS).toString();
        String clean = cleaned.apply(text);
        synchronized (this) {
            if (events.size() == CAPACITY) {
                events.removeFirst();
            }
            events.addLast(new Event(next++, time, worker, kind, clean));
        }
        LOG.info("{} {}: {}", worker, kind, clean);
    }

    /** What is kept, oldest first, from an event's number on. */
    public synchronized List<Event> from(long number) {
        return events.stream().filter(event -> event.number() >= number).toList();
    }
}
