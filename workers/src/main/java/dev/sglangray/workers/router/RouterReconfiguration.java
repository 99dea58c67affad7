/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.router;

import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.process.Incarnation;
import dev.sglangray.workers.process.ServerProcess;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.EventSink;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Changes a router's arguments by replacing its process behind the same URL. The arguments are checked, then rehearsed: a
 * router with them starts beside the one that serves, at another port and without servers. Only then is that one replaced; when
 * its successor does not come up, the old arguments are put back. Without Ray. Safe for use by many threads; one change at a
 * time, others are refused.
 */
public final class RouterReconfiguration {
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final RouterArguments arguments;
    private final Maker maker;
    private final Consumer<Map<String, Object>> check;
    private final ReentrantLock changing = new ReentrantLock();

    private final Object lock = new Object();
    private @Nullable Map<String, Object> proposed;
    private @Nullable FallbackProcess trial;
    private @Nullable ServerProcess rehearsal;
    private @Nullable ServerProcess latest;
    private boolean closed;

    /** Makes a router's lifecycle; starts nothing. */
    public interface Maker {
        /** With these arguments, in the place of that incarnation. */
        ServerProcess make(Map<String, Object> arguments, Incarnation incarnation);
    }

    /**
     * Changes nothing yet.
     *
     * @param check refuses changes that the router has no such argument or value for, as a {@link WorkerFailure}
     */
    public RouterReconfiguration(RouterArguments arguments, Maker maker, Consumer<Map<String, Object>> check) {
        this.arguments = arguments;
        this.maker = maker;
        this.check = check;
    }

    /** For each start of the process: with what is on trial once, else with what holds. */
    public ServerProcess next(Incarnation incarnation) {
        synchronized (lock) {
            Map<String, Object> fresh = proposed;
            proposed = null;
            if (fresh == null) {
                latest = maker.make(arguments.current(), incarnation);
            } else {
                trial = new FallbackProcess(
                        maker.make(arguments.with(fresh), incarnation),
                        () -> maker.make(arguments.current(), incarnation.variant("-back")));
                latest = trial;
            }
            return latest;
        }
    }

    /**
     * Changes arguments; returns when the new router serves at the old URL and has all its servers.
     *
     * @param more by name; null for the router's own default
     * @param timeout for all of it
     * @throws WorkerFailure with the words of what failed; the arguments are as before then
     */
    public void apply(RouterKeeper keeper, Map<String, Object> more, EventSink events, Duration timeout) {
        RouterArguments.requireChangeable(more);
        check.accept(more);
        if (!changing.tryLock()) {
            throw new WorkerFailure("another change of the router's arguments is under way");
        }
        try {
            Deadline deadline = Deadline.in(timeout);
            String text = RouterArguments.text(more);
            // The router that never started, or is lost, has the words for it.
            keeper.url();
            try {
                rehearse(more);
                replace(keeper, more, text, deadline);
            } catch (WorkerFailure e) {
                events.add(EventKind.ARGUMENTS, "not changed, " + text + ": " + e.getMessage());
                throw e;
            }
            events.add(EventKind.ARGUMENTS, "changed: " + text);
        } finally {
            changing.unlock();
        }
    }

    private void rehearse(Map<String, Object> more) {
        Map<String, Object> elsewhere = new HashMap<>(arguments.with(more));
        elsewhere.put("port", null);
        // The router that serves has it; the last two are smg's.
        elsewhere.put("prometheus_port", null);
        elsewhere.replace("health_check_port", null);
        elsewhere.replace("enable_mesh", null);
        ServerProcess fresh = maker.make(elsewhere, Incarnation.FIRST.variant("-rehearsal"));
        synchronized (lock) {
            if (closed) {
                throw new WorkerFailure("the router was ended");
            }
            rehearsal = fresh;
        }
        try {
            String unused = fresh.start((clean, why) -> {});
        } catch (WorkerFailure e) {
            throw new WorkerFailure("A router with " + RouterArguments.text(more)
                    + " does not start, so the one that serves was left alone: " + e.getMessage());
        } finally {
            fresh.shutdown(GRACE);
            synchronized (lock) {
                rehearsal = null;
            }
        }
    }

    private void replace(RouterKeeper keeper, Map<String, Object> more, String text, Deadline deadline) {
        synchronized (lock) {
            trial = null;
            proposed = more;
        }
        try {
            // A start that was under way already had the old arguments.
            do {
                keeper.restart("new arguments: " + text, deadline.left());
            } while (!isTried());
        } catch (WorkerFailure e) {
            if (takeBack()) {
                keeper.restartSoon("the old arguments again");
            }
            throw new WorkerFailure("The router did not come up with " + text
                    + "; it is given its old arguments again: " + failure(String.valueOf(e.getMessage())));
        }
        if (!commit(more)) {
            throw new WorkerFailure("The router did not come up with " + text + "; it has its old arguments again: "
                    + failure("it ended"));
        }
    }

    private boolean isTried() {
        synchronized (lock) {
            return trial != null;
        }
    }

    /** Whether what is on trial may run, and so is to be replaced. */
    private boolean takeBack() {
        synchronized (lock) {
            proposed = null;
            return trial != null && latest == trial;
        }
    }

    /** Makes the trial what holds, unless it failed or was replaced since. */
    private boolean commit(Map<String, Object> more) {
        synchronized (lock) {
            boolean holds = !closed
                    && latest == trial
                    && Objects.requireNonNull(trial).failure().isEmpty();
            if (holds) {
                arguments.keep(more);
            }
            return holds;
        }
    }

    private String failure(String otherwise) {
        synchronized (lock) {
            return trial == null ? otherwise : trial.failure().orElse(otherwise);
        }
    }

    /** Ends a rehearsal that is under way; nothing is left for a successor. */
    public void close() {
        ServerProcess running;
        synchronized (lock) {
            closed = true;
            running = rehearsal;
            // A change that is under way keeps nothing after this.
            arguments.delete();
        }
        if (running != null) {
            running.shutdown(GRACE);
        }
    }
}
