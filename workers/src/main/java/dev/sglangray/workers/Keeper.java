/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.supervision.Condition;
import dev.sglangray.workers.supervision.Event;
import dev.sglangray.workers.supervision.EventJournal;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.Hands;
import dev.sglangray.workers.supervision.Hold;
import dev.sglangray.workers.supervision.MonotonicClock;
import dev.sglangray.workers.supervision.Reconciler;
import dev.sglangray.workers.supervision.Signal;
import dev.sglangray.workers.supervision.Standing;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import dev.sglangray.workers.supervision.Supervisor;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a worker's process running from its first start to the shutdown: one lifecycle after the other, each in the place of
 * its predecessor. Without Ray. Safe for use by many threads.
 */
final class Keeper implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(10);
    /** What hangs will not use its grace. */
    private static final Duration HUNG_GRACE = Duration.ofSeconds(2);

    private final String what;
    private final Function<Incarnation, ? extends ServingLifecycle> factory;
    private final Outside outside;
    private final MemoryFile memory;
    private final EventJournal journal;
    private final Supervisor supervisor;
    private final StandingMonitor monitor = new StandingMonitor();
    private final MonotonicClock clock = new MonotonicClock();

    private final Object lock = new Object();
    private ServingLifecycle current;
    private @Nullable String url;
    private @Nullable Memory remembered;
    private boolean stopped;

    /**
     * Starts nothing.
     *
     * @param actor the worker's name
     * @param what the word for messages, {@code engine} or {@code router}
     * @param factory makes a lifecycle for each start
     */
    Keeper(
            String actor,
            String what,
            SupervisionPolicy policy,
            Secrets secrets,
            Function<Incarnation, ? extends ServingLifecycle> factory,
            Outside outside,
            MemoryFile memory) {
        this.what = what;
        this.factory = factory;
        this.outside = outside;
        this.memory = memory;
        this.journal = new EventJournal(actor, clock, secrets::hide);
        this.current = factory.apply(Incarnation.FIRST);
        this.supervisor = new Supervisor(actor, new Reconciler(what, policy, clock, journal), clock, new KeeperHands());
        listen(current, 0);
    }

    private void listen(ServingLifecycle lifecycle, int incarnation) {
        lifecycle.listen((clean, why) -> supervisor.signal(new Signal.Exited(incarnation, clean, why)));
    }

    /**
     * The first start, on the caller's thread: what is wrong with it is the caller's to know, and nothing is tried again.
     *
     * @return the URL
     * @throws WorkerFailure with the words of what failed
     */
    String start() {
        ServingLifecycle first;
        synchronized (lock) {
            first = current;
        }
        String where = first.start();
        synchronized (lock) {
            url = where;
        }
        remember(new Memory(where, 0, List.of()));
        supervisor.signal(new Signal.Adopted());
        return where;
    }

    /**
     * Takes over from a worker's process that died, if that one had started something.
     *
     * @param known is told where that one served, before anything else happens
     */
    boolean inherit(Consumer<String> known) {
        Optional<Memory> left = memory.load(Memory.class);
        left.ifPresent(past -> {
            known.accept(past.url());
            synchronized (lock) {
                url = past.url();
                remembered = past;
            }
            supervisor.signal(new Signal.Inherited(
                    past.restarts(),
                    past.spentMillis().stream().map(Instant::ofEpochMilli).toList()));
        });
        return left.isPresent();
    }

    private void remember(Memory now) {
        synchronized (lock) {
            if (stopped || now.equals(remembered)) {
                return;
            }
            remembered = now;
            // Inside the lock, so that a shutdown deletes what was written before it.
            memory.save(now);
        }
    }

    private final class KeeperHands implements Hands {
        @Override
        public void start(int incarnation) {
            ServingLifecycle previous;
            ServingLifecycle next;
            synchronized (lock) {
                previous = current;
                next = factory.apply(new Incarnation(incarnation, port()));
                listen(next, incarnation);
            }
            // What is left of it must be gone before its memory and port are taken.
            previous.shutdown(HUNG_GRACE);
            synchronized (lock) {
                if (stopped) {
                    throw new WorkerFailure("the " + what + " was ended");
                }
                current = next;
            }
            String where = next.start();
            synchronized (lock) {
                url = where;
            }
        }

        private @Nullable Integer port() {
            return url == null ? null : URI.create(url).getPort();
        }

        @Override
        public void end(boolean gently) {
            lifecycle().shutdown(gently ? GRACE : HUNG_GRACE);
        }

        @Override
        public void probe() {
            outside.probe(lifecycle().url());
        }

        @Override
        public void publish() {
            outside.publish(lifecycle().url());
        }

        @Override
        public void withdraw() {
            outside.withdraw();
        }

        @Override
        public void changed(Standing standing) {
            monitor.set(standing);
            String where;
            synchronized (lock) {
                where = url;
            }
            if (where != null) {
                List<Long> spent =
                        standing.spent().stream().map(Instant::toEpochMilli).toList();
                remember(new Memory(where, standing.restarts(), spent));
            }
        }
    }

    private ServingLifecycle lifecycle() {
        synchronized (lock) {
            return current;
        }
    }

    /** The URL, also while the process is being replaced; fails before it was known, and once the process is lost. */
    String url() {
        Condition condition = supervisor.standing().condition();
        if (condition instanceof Condition.Lost lost) {
            throw new WorkerFailure("the " + what + " is lost: " + lost.why());
        }
        synchronized (lock) {
            return url == null || stopped || condition instanceof Condition.Idle ? current.url() : url;
        }
    }

    boolean isHealthy() {
        // SGLang generates for /health, which what is held back cannot do, and without its memory not survive.
        return supervisor.standing().holds().isEmpty() ? lifecycle().isHealthy() : isServing();
    }

    String logTail(int lines) {
        return lifecycle().logTail(lines);
    }

    /** What the process says of itself, and how it stands with the supervision. */
    WorkerStatus status() {
        String where;
        synchronized (lock) {
            where = url;
        }
        return Statuses.supervised(lifecycle().status(), supervisor.standing(), where);
    }

    /** The last events, from a number on. */
    List<Event> events(long from) {
        return journal.from(from);
    }

    EventJournal journal() {
        return journal;
    }

    /** Stops probing, or goes on. */
    void pauseProbes(boolean paused) {
        supervisor.signal(new Signal.ProbesPaused(paused));
    }

    /** Whoever was told that the process serves has forgotten it. */
    void tellAgain() {
        supervisor.signal(new Signal.Forgotten());
    }

    /** Keeps new requests away, or lets them in again; false when that could not be told in time. */
    boolean drain(boolean drained, Duration longest) {
        supervisor.signal(new Signal.Drained(drained));
        return monitor.await(
                now -> now.drained() == drained
                        && (drained
                                ? now.withdrawn()
                                : now.published() || !(now.condition() instanceof Condition.Serving)),
                longest);
    }

    /** Holds the process back at once, before anything else happens to it; nobody is waited for. */
    void holdQuietly(Hold hold, String why) {
        supervisor.signal(new Signal.Held(hold, why, null));
    }

    /**
     * Holds the process back, which rests its probes and may keep new requests away.
     *
     * @param lease after this it ends by itself, null for never
     * @throws WorkerFailure when those who send requests could not be told in time; the hold stays
     */
    void hold(Hold hold, String why, @Nullable Duration lease, Duration longest) {
        if (supervisor.standing().condition() instanceof Condition.Idle) {
            // Never started, being started or ended: the lifecycle has the words for it.
            lifecycle().url();
        }
        Instant until = lease == null ? null : clock.instant().plus(lease);
        supervisor.signal(new Signal.Held(hold, why, until));
        if (!monitor.await(
                now -> why.equals(now.holds().get(hold)) && (!hold.withholds() || now.withdrawn()), longest)) {
            throw new WorkerFailure("the router could not be told within " + longest.toSeconds() + " s");
        }
    }

    /** Lifts a hold; returns when those who send requests know, unless something else keeps requests away. */
    boolean lift(Hold hold, Duration longest) {
        supervisor.signal(new Signal.Held(hold, null, null));
        return monitor.await(
                now -> !now.holds().containsKey(hold)
                        && (now.published() || now.isWithheld() || now.condition() instanceof Condition.Lost),
                longest);
    }

    /** Lifts a hold and waits for nobody. */
    void liftQuietly(Hold hold) {
        supervisor.signal(new Signal.Held(hold, null, null));
    }

    /** Whether it serves, after a start that may be under way; false when there is nothing to wait for. */
    boolean awaitServing(Duration longest) {
        monitor.await(
                now -> now.condition() instanceof Condition.Serving
                        || now.condition() instanceof Condition.Lost
                        || now.isStartBlocked(),
                longest);
        return supervisor.standing().condition() instanceof Condition.Serving;
    }

    /** As {@link #hold}, for a process that does not serve at the moment: nobody needs to be told. */
    void holdFor(Hold hold, String why, Duration lease) {
        supervisor.signal(new Signal.Held(hold, why, clock.instant().plus(lease)));
    }

    Standing standing() {
        return supervisor.standing();
    }

    boolean isServing() {
        return supervisor.standing().condition() instanceof Condition.Serving;
    }

    /** Whether those who send requests know that it serves. */
    boolean isPublished() {
        return supervisor.standing().published();
    }

    /** Why it does not serve, in words. */
    String describe() {
        Standing now = supervisor.standing();
        if (now.condition() instanceof Condition.Lost lost) {
            return "the " + what + " is lost: " + lost.why();
        }
        return "the " + what + " does not serve at the moment"
                + (now.lastError() == null ? "" : "; the last error: " + now.lastError());
    }

    /** Has the process replaced, some time soon. */
    void restartSoon(String why) {
        supervisor.signal(new Signal.RestartWanted(why));
    }

    /** Replaces the process; returns when the new one serves and who needs to know that knows. */
    void restart(String why, Duration longest) {
        Standing before = supervisor.standing();
        // One that is being started is as new as was asked for; one that is lost is not the answer to the wish.
        int wanted = before.incarnation() + (before.condition() instanceof Condition.Starting ? 0 : 1);
        supervisor.signal(new Signal.RestartWanted(why));
        boolean done = monitor.await(
                now -> now.incarnation() >= wanted
                        && (now.condition() instanceof Condition.Lost
                                || (now.condition() instanceof Condition.Serving
                                        && (now.published() || now.isWithheld()))),
                longest);
        Standing now = supervisor.standing();
        if (now.condition() instanceof Condition.Lost lost) {
            throw new WorkerFailure("the " + what + " did not come back: " + lost.why());
        }
        if (!done) {
            throw new WorkerFailure("the " + what + " did not come back within " + longest.toSeconds() + " s"
                    + (now.lastError() == null ? "" : "; the last error: " + now.lastError()));
        }
    }

    /** Returns when the process serves and those who need to know have been told, which a replacement takes a while for. */
    void requireSoon(Duration longest) {
        Condition now = supervisor.standing().condition();
        if (now instanceof Condition.Idle) {
            // Never started, being started or ended: the lifecycle has the words for it.
            lifecycle().url();
            return;
        }
        if (!monitor.await(s -> s.published() || s.condition() instanceof Condition.Lost, longest)) {
            throw new WorkerFailure("the " + what + " was not back within " + longest.toSeconds() + " s");
        }
        url();
    }

    /** Ends the process for good; returns when nothing is left of it. Harmless when repeated. */
    @Override
    public void close() {
        boolean first;
        synchronized (lock) {
            first = !stopped;
            stopped = true;
        }
        if (first) {
            supervisor.close();
            memory.delete();
        }
        lifecycle().shutdown(GRACE);
        if (first) {
            journal.add(EventKind.STOPPED, "the " + what + " was ended");
        }
    }
}
