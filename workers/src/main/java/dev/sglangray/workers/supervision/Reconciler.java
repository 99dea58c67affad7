/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import dev.sglangray.workers.supervision.SupervisionPhase.Ending;
import dev.sglangray.workers.supervision.SupervisionPhase.Idle;
import dev.sglangray.workers.supervision.SupervisionPhase.Lost;
import dev.sglangray.workers.supervision.SupervisionPhase.Serving;
import dev.sglangray.workers.supervision.SupervisionPhase.Starting;
import dev.sglangray.workers.supervision.SupervisionPhase.Waiting;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Decides for one process what has to be done so that it runs and works. It takes signals in, gives actions out, and says when it
 * wants the next look; it does nothing itself. Not thread-safe.
 */
public final class Reconciler {
    private final String what;
    private final SupervisionPolicy policy;
    private final InstantSource clock;
    private final EventSink events;
    private final RestartBudget budget;
    private final Liveness liveness;

    private SupervisionPhase condition = new Idle();
    private Instant since;
    private int incarnation;
    private int restarts;
    private long probes;
    private boolean planned;
    private boolean startBlocked;
    private @Nullable String lastError;
    /** Since when the current incarnation has served; null before it does. */
    private @Nullable Instant servingSince;
    /** The news of an end may arrive before that of the start that it followed. */
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
        this.liveness = new Liveness(policy);
        this.since = clock.instant();
    }

    /** Takes one signal in; what is to be done now. */
    public List<Action> on(Signal signal) {
        Instant now = clock.instant();
        List<Action> actions = new ArrayList<>();
        if (signal instanceof Signal.Adopted) {
            events.add(EventKind.STARTED, "the " + what + " serves");
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
        } else if (signal instanceof Signal.Explained explained) {
            onExplained(explained);
        } else if (signal instanceof Signal.Probed probed) {
            onProbed(probed, now, actions);
        } else if (signal instanceof Signal.Restrained restrained) {
            startBlocked = restrained.startBlocked();
            liveness.rest(restrained.probesRest(), now);
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
        budget.inherit(inherited.spent(), now);
        // Nobody wrote down when it became healthy.
        servingSince = budget.last();
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

    private void onExplained(Signal.Explained explained) {
        // A later error counts more than the log of an earlier process.
        if (lastError != null && explained.why().startsWith(lastError)) {
            lastError = explained.why();
            if (condition instanceof Lost lost && explained.why().startsWith(lost.why())) {
                condition = new Lost(explained.why());
            }
        }
        events.add(EventKind.EXITED, explained.why());
    }

    private void onProbed(Signal.Probed probed, Instant now, List<Action> actions) {
        if (probed.incarnation() != incarnation || !(condition instanceof Serving)) {
            return;
        }
        probes++;
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
        Duration served = servingSince == null ? Duration.ZERO : Duration.between(servingSince, now);
        servingSince = null;
        if (planned) {
            // A restart on demand costs nothing of the budget, but its failure does.
            planned = false;
            become(new Waiting(now), now);
            return;
        }
        if (!policy.heals()) {
            lose(lastError == null ? "it ended, and the policy is not to restart" : lastError, now);
            return;
        }
        Optional<Duration> wait = budget.spend(now, served);
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
        servingSince = now;
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

    private void become(SupervisionPhase next, Instant now) {
        condition = next;
        since = now;
    }

    private void reconcile(Instant now, List<Action> actions) {
        if (condition instanceof Waiting waiting && !now.isBefore(waiting.until()) && !startBlocked) {
            incarnation++;
            become(new Starting(), now);
            actions.add(new Action.Start(incarnation));
        }
        if (condition instanceof Serving && liveness.take(now)) {
            actions.add(new Action.Probe(incarnation));
        }
    }

    /** When a {@link Signal.Tick} would change something; empty when only news can. */
    public Optional<Instant> due() {
        if (condition instanceof Idle) {
            return Optional.empty();
        }
        Instant start = condition instanceof Waiting waiting && !startBlocked ? waiting.until() : Instant.MAX;
        Instant probe = condition instanceof Serving ? liveness.due() : Instant.MAX;
        return Stream.of(start, probe).min(Instant::compareTo).filter(at -> at.isBefore(Instant.MAX));
    }

    /** Where the process stands, at this moment. */
    public SupervisionStatus standing() {
        return new SupervisionStatus(
                condition,
                since,
                incarnation,
                restarts,
                startBlocked && condition instanceof Waiting,
                budget.spent(),
                lastError,
                probes);
    }
}
