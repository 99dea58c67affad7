/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.app.monitor.UpdatePhases;
import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.Event;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** What the events of one worker say over time: restarts with their causes, and how long things took. Not thread-safe. */
final class WorkerHistory {
    /** What can end a process; each is counted from 0 on, so that the first one shows as an increase. */
    enum Cause {
        /** It ended by itself, or was killed. */
        EXIT,
        /** It failed its probes. */
        UNRESPONSIVE,
        /** A start failed. */
        START_FAILED,
        /** A command or a program asked for a new process. */
        REQUESTED,
        /** The worker's own process ended. */
        WORKER,
        /** The engine has another worker, after the loss of its node. */
        MOVED;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final MeterRegistry registry;
    private final Tags tags;
    private final SupervisionPolicy policy;
    private Instant notBefore;
    private Instant last;
    private boolean replaced;
    private @Nullable Instant silent;
    private @Nullable Cause cause;
    private @Nullable Instant ended;
    private @Nullable Instant withdrawn;
    private boolean published;
    private final UpdatePhases update = new UpdatePhases();
    private String lastExit = "";
    private final Deque<Instant> spent = new ArrayDeque<>();

    /**
     * Of a worker that was not seen yet.
     *
     * @param tags the labels of what is counted
     * @param since events before are not counted
     */
    WorkerHistory(MeterRegistry registry, Tags tags, SupervisionPolicy policy, Instant since) {
        this.registry = registry;
        this.tags = tags;
        this.policy = policy;
        this.notBefore = since;
        this.last = since;
        for (Cause each : Cause.values()) {
            Meters.RESTARTS.counter(registry, tags.and("cause", each.label()));
        }
        Meters.RECOVERY.timer(registry, tags);
        Meters.PROBE_FAILURES.counter(registry, tags);
        if (isEngine()) {
            Meters.OUT_OF_SERVICE.timer(registry, pool());
            Meters.DRAINS.counter(registry, pool());
        }
    }

    private boolean isEngine() {
        return tags.stream()
                .anyMatch(tag -> tag.getKey().equals("kind") && tag.getValue().equals("engine"));
    }

    private Tags pool() {
        return Tags.of(tags.stream().filter(tag -> tag.getKey().equals("pool")).toList());
    }

    /** Takes what the worker says now. */
    void take(Worker worker, Instant now) {
        WorkerStatus status = worker.status();
        if (status == null) {
            silent = silent == null ? now : silent;
            return;
        }
        if (worker.replaced()) {
            notBefore = last.plusMillis(1);
            replaced = true;
            return;
        }
        for (Event event : worker.events()) {

            Instant time = Instant.parse(event.time());
            if (!time.isBefore(notBefore)) {
                last = time;
                take(event, time);
            }
        }
        silent = null;
        replaced = false;
    }

    private void take(Event event, Instant time) {
        if (isEngine()) {
            update.take(
                    event.kind(),
                    time,
                    (phase, took) -> Meters.UPDATE
                            .timer(registry, pool().and("phase", phase.label()))
                            .record(took));
        }
        switch (event.kind()) {
            case EXITED -> {
                // The log of a process that ended is read later, and said in a second event.
                boolean explained = event.text().length() > lastExit.length()
                        && !lastExit.isEmpty()
                        && event.text().startsWith(lastExit);
                lastExit = event.text();
                if (!explained) {
                    ends(Cause.EXIT, time);
                }
            }
            case UNRESPONSIVE -> ends(Cause.UNRESPONSIVE, time);
            case START_FAILED -> ends(Cause.START_FAILED, time);
            case RESTART_WANTED -> ends(Cause.REQUESTED, time);
            case WORKER_RESTARTED -> {
                ends(Cause.WORKER, begin(time));
                withdraws(begin(time));
            }
            case RESTARTING -> spent.addLast(time);
            case RECOVERED -> recovers(time);
            case STARTED -> {
                if (replaced) {
                    ends(Cause.MOVED, begin(time));
                    withdraws(begin(time));
                    recovers(time);
                }
            }
            case PROBE_FAILED -> Meters.PROBE_FAILURES.counter(registry, tags).increment();
            case DRAINED -> {
                if (event.text().equals(EngineController.DRAIN_BEGINS)) {
                    Meters.DRAINS.counter(registry, pool()).increment();
                }
            }
            case WITHDRAWN -> withdraws(time);
            case PUBLISHED -> {
                if (withdrawn != null && isEngine()) {
                    record(Meters.OUT_OF_SERVICE, pool(), withdrawn, time);
                }
                withdrawn = null;
                published = true;
            }
            default -> {}
        }
    }

    /** When a worker that was replaced ended, as far as that is known. */
    private Instant begin(Instant time) {
        return silent != null && silent.isBefore(time) ? silent : time;
    }

    private void ends(Cause why, Instant time) {
        if (ended == null) {
            ended = time;
            cause = why;
        }
    }

    private void recovers(Instant time) {
        if (ended != null && cause != null) {
            Meters.RESTARTS.counter(registry, tags.and("cause", cause.label())).increment();
            record(Meters.RECOVERY, tags, ended, time);
        }
        ended = null;
        cause = null;
    }

    private void withdraws(Instant time) {
        if (published && withdrawn == null) {
            withdrawn = time;
        }
        published = false;
    }

    private void record(Meters meter, Tags labels, Instant begin, Instant end) {
        Duration took = Duration.between(begin, end);
        meter.timer(registry, labels).record(took.isNegative() ? Duration.ZERO : took);
    }

    /** The share of the restarts that are allowed within the window; 1 or more when none is left. */
    double budgetUsed(Instant now) {
        Instant begin = now.minusMillis(Math.round(policy.restartWindowSeconds() * 1000));
        while (!spent.isEmpty() && !spent.peekFirst().isAfter(begin)) {
            spent.removeFirst();
        }
        return policy.maxRestarts() == 0 ? 0 : (double) spent.size() / policy.maxRestarts();
    }
}
