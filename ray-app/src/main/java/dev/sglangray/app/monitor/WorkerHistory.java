/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.app.monitor.Episode.Cause;
import dev.sglangray.app.monitor.Episode.Moment;
import dev.sglangray.app.monitor.Episode.MomentKind;
import dev.sglangray.app.monitor.Episode.OutOfService;
import dev.sglangray.app.monitor.Episode.Restart;
import dev.sglangray.app.monitor.Episode.Update;
import dev.sglangray.app.monitor.Episode.UpdatePhase;
import dev.sglangray.app.monitor.Episode.What;
import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.Event;
import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads the events of one worker over time, as episodes. Not thread-safe. */
final class WorkerHistory {
    private final String name;
    private final String pool;
    private final boolean isEngine;
    private final Consumer<Episode> receiver;
    private Instant notBefore;
    private Instant last;
    private boolean replaced;
    private @Nullable Instant silent;
    private @Nullable Cause cause;
    private @Nullable Instant ended;
    private @Nullable Instant withdrawn;
    private boolean published;
    private @Nullable Instant updating;
    private @Nullable Instant loaded;
    private String lastExit = "";

    /**
     * Of a worker that was not seen yet.
     *
     * @param name the actor's name
     * @param pool the engine's pool; empty for a router
     * @param isEngine false for the router
     * @param since events before are not read
     * @param receiver receives the episodes, in their order
     */
    WorkerHistory(String name, String pool, boolean isEngine, Instant since, Consumer<Episode> receiver) {
        this.name = name;
        this.pool = pool;
        this.isEngine = isEngine;
        this.receiver = receiver;
        this.notBefore = since;
        this.last = since;
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
            case RESTARTING -> happens(new Moment(MomentKind.RESTART_DUE), time, time);
            case RECOVERED -> recovers(time);
            case STARTED -> {
                if (replaced) {
                    ends(Cause.MOVED, begin(time));
                    withdraws(begin(time));
                    recovers(time);
                }
            }
            case PROBE_FAILED -> happens(new Moment(MomentKind.PROBE_FAILED), time, time);
            case DRAINED -> {
                if (event.text().equals(EngineController.DRAIN_BEGINS)) {
                    happens(new Moment(MomentKind.DRAIN), time, time);
                }
            }
            case HELD -> {
                // Memory that is lent and generation that is paused are no updates; the end of one is not either.
                updating = UpdateNotice.isText(event.text()) ? time : null;
            }
            case WEIGHTS -> {
                phase(UpdatePhase.LOAD, updating, time);
                updating = null;
                loaded = time;
            }
            case WITHDRAWN -> {
                withdraws(time);
                if (updating != null) {
                    phase(UpdatePhase.WITHDRAW, updating, time);
                    updating = time;
                }
            }
            case PUBLISHED -> {
                phase(UpdatePhase.RETURN, loaded, time);
                loaded = null;
                updating = null;
                if (withdrawn != null && isEngine) {
                    happens(new OutOfService(), withdrawn, time);
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
            happens(new Restart(cause), ended, time);
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

    private void phase(UpdatePhase phase, @Nullable Instant begin, Instant end) {
        if (begin != null && isEngine) {
            happens(new Update(phase), begin, end);
        }
    }

    private void happens(What what, Instant begin, Instant end) {
        receiver.accept(new Episode(name, pool, isEngine, what, begin, end));
    }
}
