/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.config.thread.Threads;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.Event;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at a fleet as often as its listeners want, and hands them each look. An event of a worker is in one look only. Safe for use by
 * several threads.
 */
public final class FleetMonitor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FleetMonitor.class);
    /** Without a listener nothing wants a look. */
    private static final Duration IDLE = Duration.ofSeconds(5);

    private final FleetSource source;
    private final InstantSource clock;
    private final List<LookListener> listeners = new CopyOnWriteArrayList<>();
    /** How far the events of each worker are known; of the looking thread only. */
    private final Map<String, Seen> seen = new HashMap<>();
    /** As long as a worker is known; of the looking thread only. */
    private final Map<String, WorkerHistory> histories = new HashMap<>();

    private final Instant since;
    /** Has a permit when the next look is not to wait. */
    private final Semaphore wake = new Semaphore(0);

    private String problem = "";
    private volatile boolean closed;

    /**
     * A worker as it was last seen.
     *
     * @param process the process id of its JVM
     * @param node Ray's id of its node
     * @param next the number of the first event that was not seen
     */
    private record Seen(long process, String node, long next) {}

    /** Looks at nothing before {@link #start} or {@link #look}. */
    public FleetMonitor(FleetSource source, InstantSource clock) {
        this.source = source;
        this.clock = clock;
        this.since = clock.instant();
    }

    /** Hands all further looks to this listener too, and closes it with this. */
    public void add(LookListener listener) {
        listeners.add(listener);
        soon();
    }

    /** Begins to look, on a thread of its own that ends with {@link #close} or with the fleet's Ray. */
    public void start() {
        Thread unused = Threads.start("sglang-ray-monitor", this::run);
    }

    private void run() {
        try {
            while (!closed && !source.isOver()) {
                look();
                boolean unused = wake.tryAcquire(pause().toMillis(), TimeUnit.MILLISECONDS);
                wake.drainPermits();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            close();
        }
    }

    private Duration pause() {
        return listeners.stream()
                .map(LookListener::interval)
                .min(Duration::compareTo)
                .orElse(IDLE);
    }

    /** The next look is not to wait for the interval. */
    public void soon() {
        wake.release();
    }

    /** One look. After a failure the next one tries again. For use by one thread. */
    public void look() {
        long begin = System.nanoTime();
        boolean load = listeners.stream().anyMatch(LookListener::wantsLoad);
        try {
            FleetLook look = known(source.look(this::from, load));
            Duration took = Duration.ofNanos(System.nanoTime() - begin);
            Instant now = clock.instant();
            tell(look, now);
            each(listener -> listener.saw(look, took, now));
            problem = "";
        } catch (RuntimeException failure) {
            Instant now = clock.instant();
            each(listener -> listener.missed(failure, now));
            if (!problem.equals(failure.toString())) {
                problem = failure.toString();
                LOG.warn("the fleet cannot be looked at at the moment; the next look tries again", failure);
            }
        }
    }

    /** What the new events of all workers tell, to all listeners. */
    private void tell(FleetLook look, Instant now) {
        for (Engine engine : look.engines()) {
            tell(engine.worker(), engine.plan().pool(), true, now);
        }
        Worker router = look.router();
        if (router != null) {
            tell(router, "", false, now);
        }
    }

    private void tell(Worker worker, String pool, boolean isEngine, Instant now) {
        histories
                .computeIfAbsent(worker.name(), name -> new WorkerHistory(name, pool, isEngine, since, this::happened))
                .take(worker, now);
    }

    private void happened(Episode episode) {
        each(listener -> listener.happened(episode));
    }

    /** A listener that fails keeps nothing from the others, nor from the fleet. */
    private void each(Consumer<LookListener> what) {
        for (LookListener listener : listeners) {
            try {
                what.accept(listener);
            } catch (RuntimeException | Error failure) {
                LOG.warn("{} failed; the fleet and what else looks at it go on", listener.getClass(), failure);
            }
        }
    }

    /** The number of the first event of a worker that was not seen yet. */
    private long from(String worker) {
        Seen known = seen.get(worker);
        return known == null ? 0 : known.next();
    }

    /** The look with the events that belong to it. */
    private FleetLook known(FleetLook look) {
        Set<String> names = new HashSet<>();
        List<Engine> engines = new ArrayList<>();
        for (Engine engine : look.engines()) {
            engines.add(new Engine(engine.plan(), known(engine.worker(), names), engine.load()));
        }
        Worker router = look.router();
        FleetLook result =
                new FleetLook(look.wanted(), engines, router == null ? null : known(router, names), look.registry());
        if (engines.size() >= look.size()) {
            // An engine that is being moved has no worker for a while, and comes back.
            seen.keySet().retainAll(names);
            histories.keySet().retainAll(names);
        }
        return result;
    }

    private Worker known(Worker worker, Set<String> names) {
        names.add(worker.name());
        WorkerStatus status = worker.status();
        if (status == null) {
            return new Worker(worker.name(), null, List.of(), false);
        }
        @Nullable Seen last = seen.get(worker.name());
        long process = status.process().workerPid();
        String node = status.process().nodeId();
        if (last != null && (last.process() != process || !last.node().equals(node))) {
            // Another process counts its events from 0, and these were asked for from the old one's number on.
            seen.put(worker.name(), new Seen(process, node, 0));
            return new Worker(worker.name(), status, List.of(), true);
        }
        long next = last == null ? 0 : last.next();
        for (Event event : worker.events()) {
            next = Math.max(next, event.number() + 1);
        }
        seen.put(worker.name(), new Seen(process, node, next));
        return worker;
    }

    /** A phase of a launch or of a change of size begins. */
    public void phaseBegan(String phase, String what) {
        each(listener -> listener.phaseBegan(phase, what));
    }

    /** A phase of a launch or of a change of size is over. */
    public void phase(String phase, Duration took) {
        each(listener -> listener.phase(phase, took));
    }

    /** A worker serves for the first time, in a launch or a change of size. */
    public void workerReady(String worker, String url) {
        each(listener -> listener.workerReady(worker, url));
    }

    /** The launch is over; the words say why it failed. */
    public void launched(Optional<String> failure) {
        each(listener -> listener.launched(failure));
        soon();
    }

    /** A trainer reports a step. */
    public void reported(TrainerStep step) {
        each(listener -> listener.reported(step));
    }

    /** A change of a pool's size is over. */
    public void scaled(String pool, boolean up, boolean done) {
        each(listener -> listener.scaled(pool, up, done));
        soon();
    }

    /** What autoscaling makes of a pool's load at a look. */
    public void demand(PoolDemand demand) {
        each(listener -> listener.demand(demand));
    }

    /** A decision of autoscaling was carried out, or could not be. */
    public void decided(String pool, boolean up, PoolDemand.Result result) {
        each(listener -> listener.decided(pool, up, result));
        soon();
    }

    /** Looks no more, and closes the listeners. Harmless when repeated. */
    @Override
    public void close() {
        closed = true;
        soon();
        each(LookListener::close);
    }
}
