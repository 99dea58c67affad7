/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import dev.sglangray.workers.supervision.Condition.Ending;
import dev.sglangray.workers.supervision.Condition.Idle;
import dev.sglangray.workers.supervision.Condition.Lost;
import dev.sglangray.workers.supervision.Condition.Serving;
import dev.sglangray.workers.supervision.Condition.Starting;
import dev.sglangray.workers.supervision.Condition.Waiting;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Decides for one process what has to be done so that two facts hold again: it runs, and who needs to know that knows. Takes
 * signals in, gives actions out, and says when it wants to be asked again; does nothing itself. Not thread-safe.
 */
public final class Reconciler {
    private final String what;
    private final SupervisionPolicy policy;
    private final InstantSource clock;
    private final EventSink events;
    private final RestartBudget budget;
    private final Telling telling;
    private final Liveness liveness;
    private final Holds holds = new Holds();

    private Condition condition = new Idle();
    private Instant since;
    private int incarnation;
    private int restarts;
    private boolean planned;
    private boolean drained;
    private boolean probesPaused;
    private @Nullable String lastError;
    /** An end may be told before the start that it followed. */
    private Signal.@Nullable Exited early;

    /**
     * For a process that does not run yet.
     *
     * @param what the word for messages, {@code engine} or {@code router}
     */
    public Reconciler(String what, SupervisionPolicy policy, InstantSource clock, EventSink events) {
        this.what = what;
        this.policy = policy;
        this.clock = clock;
        this.events = events;
        this.budget = new RestartBudget(policy);
        this.telling = new Telling(events);
        this.liveness = new Liveness(policy);
        this.since = clock.instant();
    }

    /** Takes one signal in; what is to be done now. */
    public List<Action> on(Signal signal) {
        Instant now = clock.instant();
        List<Action> actions = new ArrayList<>();
        if (signal instanceof Signal.Adopted) {
            events.add(EventKind.STARTED, "the " + what + " serves");
            telling.assume(true);
            serve(now);
        } else if (signal instanceof Signal.Inherited inherited) {
            onInherited(inherited, now);
        } else if (signal instanceof Signal.Started started) {
            onStarted(started, now);
        } else if (signal instanceof Signal.StartFailed failed) {
            if (failed.incarnation() == incarnation && condition instanceof Starting) {
                error(EventKind.START_FAILED, failed.why());
                startAgain(now);
            }
        } else if (signal instanceof Signal.Exited exited) {
            onExited(exited, now);
        } else if (signal instanceof Signal.Probed probed) {
            onProbed(probed, now, actions);
        } else if (signal instanceof Signal.Told told) {
            telling.told(told.errand());
        } else if (signal instanceof Signal.TellingFailed failed) {
            telling.failed(failed.errand(), failed.why(), now);
        } else if (signal instanceof Signal.Forgotten) {
            telling.forget();
        } else if (signal instanceof Signal.ProbesPaused paused) {
            events.add(EventKind.PROBES_PAUSED, paused.paused() ? "probes are paused" : "probes go on");
            probesPaused = paused.paused();
            restProbes(now);
        } else if (signal instanceof Signal.Held held) {
            onHeld(held, now);
        } else if (signal instanceof Signal.Drained wanted) {
            drained = wanted.drained();
            events.add(EventKind.DRAINED, drained ? "no new requests" : "new requests are welcome again");
        } else if (signal instanceof Signal.RestartWanted wanted) {
            onRestartWanted(wanted, now, actions);
        } else if (signal instanceof Signal.Stopped) {
            become(new Idle(), now);
        }
        reconcile(now, actions);
        return actions;
    }

    private void onInherited(Signal.Inherited inherited, Instant now) {
        restarts = inherited.restarts();
        budget.inherit(inherited.spent());
        error(EventKind.WORKER_RESTARTED, "the worker's process ended and took the " + what + " with it");
        if (policy.heals()) {
            startAgain(now);
        } else {
            lose("the worker's process ended, and the policy is not to restart", now);
        }
    }

    private void onStarted(Signal.Started started, Instant now) {
        if (started.incarnation() != incarnation || !(condition instanceof Starting)) {
            return;
        }
        restarts++;
        planned = false;
        events.add(EventKind.RECOVERED, "the " + what + " serves again (restart " + restarts + ")");
        serve(now);
    }

    private void onExited(Signal.Exited exited, Instant now) {
        boolean expected = condition instanceof Ending;
        if (exited.incarnation() == incarnation && (condition instanceof Idle || condition instanceof Starting)) {
            early = exited;
            return;
        }
        if (exited.incarnation() != incarnation || !(expected || condition instanceof Serving)) {
            return;
        }
        if (!expected) {
            error(EventKind.EXITED, exited.why());
        }
        boolean wanted = expected
                || policy.restart() == RestartMode.ALWAYS
                || (policy.restart() == RestartMode.ON_FAILURE && !exited.clean());
        if (wanted) {
            startAgain(now);
        } else {
            lose(exited.why(), now);
        }
    }

    private void onProbed(Signal.Probed probed, Instant now, List<Action> actions) {
        if (probed.incarnation() != incarnation || !(condition instanceof Serving)) {
            return;
        }
        Optional<Integer> failures = liveness.answered(probed.alive(), now);
        if (failures.isEmpty() || failures.get() == 0) {
            return;
        }
        String text = "probe " + failures.get() + " of " + policy.probeFailures() + " failed: " + probed.detail();
        events.add(EventKind.PROBE_FAILED, text);
        if (liveness.isDead()) {
            error(EventKind.UNRESPONSIVE, "the " + what + " runs but does not work: " + probed.detail());
            become(new Ending(), now);
            actions.add(new Action.End(incarnation, false));
        }
    }

    private void onHeld(Signal.Held held, Instant now) {
        String before = holds.view().get(held.hold());
        if (!Objects.equals(before, held.why())) {
            events.add(EventKind.HELD, held.why() == null ? "no longer: " + before : held.why());
        }
        holds.set(held.hold(), held.why(), held.until());
        restProbes(now);
    }

    private void restProbes(Instant now) {
        liveness.rest(probesPaused || !holds.isEmpty(), now);
    }

    private void onRestartWanted(Signal.RestartWanted wanted, Instant now, List<Action> actions) {
        if (condition instanceof Serving) {
            events.add(EventKind.RESTART_WANTED, wanted.why());
            planned = true;
            become(new Ending(), now);
            actions.add(new Action.End(incarnation, true));
        } else if (condition instanceof Lost) {
            events.add(EventKind.RESTART_WANTED, wanted.why());
            planned = true;
            startAgain(now);
        }
    }

    private void startAgain(Instant now) {
        if (planned) {
            // Somebody's wish costs nothing of the budget, but its failure does.
            planned = false;
            become(new Waiting(now), now);
            return;
        }
        Optional<Duration> wait = budget.spend(now);
        if (wait.isEmpty()) {
            lose(
                    "given up after " + policy.maxRestarts() + " restarts within "
                            + policy.restartWindow().toSeconds() + " s; the last error: " + lastError,
                    now);
            return;
        }
        events.add(
                EventKind.RESTARTING,
                "a new " + what + " is started "
                        + (wait.get().isZero() ? "at once" : "in " + wait.get().toMillis() + " ms"));
        become(new Waiting(now.plus(wait.get())), now);
    }

    private void serve(Instant now) {
        become(new Serving(), now);
        liveness.begin(now);
        Signal.Exited missed = early;
        early = null;
        if (missed != null && missed.incarnation() == incarnation) {
            onExited(missed, now);
        }
    }

    private void lose(String why, Instant now) {
        lastError = why;
        events.add(EventKind.LOST, why);
        become(new Lost(why), now);
    }

    private void error(EventKind kind, String why) {
        lastError = why;
        events.add(kind, why);
    }

    private void become(Condition next, Instant now) {
        condition = next;
        since = now;
    }

    private void reconcile(Instant now, List<Action> actions) {
        for (Hold over : holds.expire(now)) {
            events.add(EventKind.HELD, over + " was not ended by whoever began it, and is over");
            restProbes(now);
        }
        if (condition instanceof Waiting waiting && !now.isBefore(waiting.until()) && !holds.blockStart()) {
            incarnation++;
            become(new Starting(), now);
            actions.add(new Action.Start(incarnation));
        }
        if (condition instanceof Idle) {
            // Whoever ended it tells whom it concerns.
            return;
        }
        actions.addAll(telling.want(condition instanceof Serving && !drained && !holds.withhold(), now));
        if (condition instanceof Serving && liveness.take(now)) {
            actions.add(new Action.Probe(incarnation));
        }
    }

    /** When a {@link Signal.Tick} would change something; empty when only news can. */
    public Optional<Instant> due() {
        if (condition instanceof Idle) {
            return Optional.empty();
        }
        Instant start = condition instanceof Waiting waiting && !holds.blockStart() ? waiting.until() : Instant.MAX;
        Instant probe = condition instanceof Serving ? liveness.due() : Instant.MAX;
        return Stream.of(start, probe, telling.due(), holds.due())
                .min(Instant::compareTo)
                .filter(at -> at.isBefore(Instant.MAX));
    }

    /** Where the process stands, at this moment. */
    public Standing standing() {
        return new Standing(
                condition,
                since,
                incarnation,
                restarts,
                drained,
                holds.view(),
                telling.isWithdrawn(),
                telling.isPublished(),
                budget.spent(),
                lastError);
    }
}
