/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.gang;

import dev.sglangray.bridge.PortLease;
import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.DeviceLocks;
import dev.sglangray.workers.process.ExitListener;
import dev.sglangray.workers.process.Incarnation;
import dev.sglangray.workers.process.ProcessFactory;
import dev.sglangray.workers.process.ProcessStarter;
import dev.sglangray.workers.process.ServerProcess;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.process.TryAgainException;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An engine that spans nodes, as one process: part 0 runs here, the others behind {@link PartPort}s. All parts start together,
 * within one deadline, and end together: the end of any part is the end of the engine. Safe for use by many threads.
 */
public final class GangProcess implements ServerProcess {
    private static final Logger LOG = LoggerFactory.getLogger(GangProcess.class);

    private static final int MAX_ATTEMPTS = 4;
    private static final int TAIL_LINES = 30;
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final Duration FAILED_GRACE = Duration.ofSeconds(2);
    private static final Duration LOOK = Duration.ofMillis(250);

    /** Makes the process of part 0. */
    public interface Factory {
        ServerProcess make(ServerSpec spec, Incarnation incarnation);
    }

    private final ServerSpec spec;
    private final ProcessFactory kit;
    private final Factory factory;
    private final ProcessStarter starter;
    private final List<PartPort> parts;
    private final ThreadLoop loop;
    private final Incarnation incarnation;
    private final CompletableFuture<Void> abort = new CompletableFuture<>();
    private final CompletableFuture<Void> startEnded = new CompletableFuture<>();

    private final Object lock = new Object();
    private ServerProcess local;
    private @Nullable Attempt attempt;
    private boolean started;
    private boolean serves;
    private @Nullable String failure;
    private @Nullable String waiting;
    private final List<@Nullable PartState> states = new ArrayList<>();

    /** One try to start all parts. */
    private static final class Attempt {
        final String key = UUID.randomUUID().toString();
        /** Fails with why a part ended, as long as the engine does not serve. */
        final CompletableFuture<Void> broken = new CompletableFuture<>();

        final List<CompletableFuture<Void>> ready = new ArrayList<>();
        final PortLease meeting;
        DeviceLocks.@Nullable Held held;

        Attempt(PortLease meeting, int parts) {
            this.meeting = meeting;
            for (int i = 0; i < parts; i++) {
                ready.add(new CompletableFuture<>());
            }
        }
    }

    /** A part ended before the engine served. */
    private static final class BrokenException extends RuntimeException {
        final boolean again;

        BrokenException(String message, boolean again) {
            super(message);
            this.again = again;
        }
    }

    /**
     * Starts nothing.
     *
     * @param spec part 0's
     * @param factory makes part 0's process
     * @param starter what the factory's processes are started with
     * @param parts the others, in order
     */
    public GangProcess(
            ServerSpec spec,
            ProcessFactory kit,
            Factory factory,
            ProcessStarter starter,
            List<? extends PartPort> parts,
            ThreadLoop loop,
            Incarnation incarnation) {
        this.spec = spec;
        this.kit = kit;
        this.factory = factory;
        this.starter = starter;
        this.parts = List.copyOf(parts);
        this.loop = loop;
        this.incarnation = incarnation;
        this.local = factory.make(spec, incarnation);
        parts.forEach(part -> states.add(null));
    }

    @Override
    public String start(ExitListener exits) {
        synchronized (lock) {
            if (started) {
                throw new WorkerFailure("the engine was started before");
            }
            started = true;
        }
        try {
            return startWithRetries(exits);
        } catch (RuntimeException e) {
            String text = spec.secrets().hide(String.valueOf(e.getMessage()));
            synchronized (lock) {
                failure = text;
            }
            throw new WorkerFailure(text);
        } finally {
            startEnded.complete(null);
        }
    }

    private String startWithRetries(ExitListener exits) {
        Incarnation next = incarnation;
        boolean again = false;
        for (int n = 1; ; n++) {
            throwIfAborted();
            Attempt now = new Attempt(kit.ports().acquire(), parts.size());
            synchronized (lock) {
                attempt = now;
                waiting = null;
            }
            boolean kept = false;
            try {
                String url = startOnce(now, next, exits);
                kept = true;
                return url;
            } catch (TryAgainException e) {
                if (n >= MAX_ATTEMPTS || abort.isDone()) {
                    throw e;
                }
                LOG.warn(
                        "All parts of the engine are started again: {}",
                        spec.secrets().hide(String.valueOf(e.getMessage())));
                next = (e.portLost() ? new Incarnation(incarnation.number(), null) : incarnation).variant("-try" + n);
                again = true;
            } catch (BrokenException e) {
                if (n >= MAX_ATTEMPTS || abort.isDone() || !e.again) {
                    absolve(again);
                    throw e;
                }
                LOG.warn(
                        "All parts of the engine are started again: {}",
                        spec.secrets().hide(String.valueOf(e.getMessage())));
                next = incarnation.variant("-try" + n);
                again = true;
            } catch (WorkerFailure e) {
                absolve(again);
                throw e;
            } finally {
                if (!kept) {
                    endAll(now, FAILED_GRACE);
                    release(now);
                    now.meeting.close();
                }
            }
        }
    }

    /** Forks were not to blame where the engine does not start without them either. */
    private void absolve(boolean startedAgain) {
        if (startedAgain) {
            starter.absolve();
        }
    }

    private String startOnce(Attempt now, Incarnation next, ExitListener exits) {
        Duration patience = spec.healthTimeout();
        ServerSpec first = spec.meetingAt(meetingAddress(now.meeting.port()));
        openAll(Deadline.in(patience));
        try {
            starter.prepare(abort.copy().completeOnTimeout(null, patience.toMillis(), TimeUnit.MILLISECONDS));
            throwIfAborted();
            // Part after part, in the order of nodes: two engines that share accelerators of several nodes never wait
            // for each
            // other.
            now.held = kit.devices().acquire(first.devices(kit.node()), spec.actorName(), patience, abort, this::waits);
            for (PartPort part : parts) {
                waits("waits for the accelerators of " + describe(part));
                get(part.hold(now.key, first.part(part.number()), patience), longer(patience), part);
            }
            waits(null);
            Deadline deadline = Deadline.in(patience);
            for (PartPort part : parts) {
                get(part.start(now.key, first.part(part.number()), next), ANSWER, part);
            }
            for (int i = 0; i < parts.size(); i++) {
                watch(now, i, PartState.Phase.IDLE, exits);
            }
            String url = startLocal(now, first, next, exits);
            awaitParts(now, deadline);
            synchronized (lock) {
                // A part that ended just now has broken this start, and must not end a process that serves.
                if (!now.broken.isDone()) {
                    serves = true;
                }
            }
            throwIfBroken(now);
            release(now);
            return url;
        } finally {
            waits(null);
        }
    }

    /** Other engines may start on the accelerators. */
    private void release(Attempt now) {
        if (now.held != null) {
            now.held.close();
            now.held = null;
        }
        for (PartPort part : parts) {
            var unused = part.release(now.key);
        }
    }

    /** Deadlines of the part's own, one after the other, and a little. */
    private static Duration longer(Duration patience) {
        return patience.multipliedBy(2).plus(ANSWER);
    }

    private String meetingAddress(int port) {
        return kit.node().advertisedHost("*") + ":" + port;
    }

    /** All workers are there, and each on a machine of its own as far as SGLang can see. */
    private void openAll(Deadline deadline) {
        List<PartFacts> facts = new ArrayList<>(List.of(PartFacts.here()));
        List<String> nodes = new ArrayList<>(List.of(kit.node().ip()));
        List<CompletableFuture<PartFacts>> opened = new ArrayList<>();
        parts.forEach(part -> opened.add(part.open(spec.part(part.number()))));
        for (int i = 0; i < parts.size(); i++) {
            PartPort part = parts.get(i);
            waits("waits for the worker of " + describe(part));
            PartFacts there = get(opened.get(i), deadline.left(), part);
            for (int other = 0; other < facts.size(); other++) {
                there.refusal(part.node(), facts.get(other), nodes.get(other)).ifPresent(why -> {
                    throw new WorkerFailure(why);
                });
            }
            facts.add(there);
            nodes.add(part.node());
        }
        waits(null);
    }

    private String startLocal(Attempt now, ServerSpec first, Incarnation next, ExitListener exits) {
        ServerProcess process = factory.make(first, next);
        synchronized (lock) {
            throwIfAborted();
            local = process;
        }
        CompletableFuture<Void> unused = now.broken.exceptionally(broken -> {
            // Without its peers it would wait until its deadline.
            var unusedEnd = loop.block(() -> {
                process.shutdown(Duration.ZERO);
                return true;
            });
            return null;
        });
        try {
            return process.start(new ExitListener() {
                @Override
                public void ended(boolean clean, String why) {
                    over(now, -1, clean, why, exits);
                }

                @Override
                public void explained(String why) {
                    exits.explained(spec.secrets().hide(why + tails(-1)));
                }
            });
        } catch (TryAgainException e) {
            throwIfAborted();
            throwIfBroken(now);
            throw e;
        } catch (WorkerFailure e) {
            throwIfAborted();
            throwIfBroken(now);
            throw new WorkerFailure(e.getMessage() + tails(-1));
        }
    }

    private void throwIfBroken(Attempt now) {
        if (now.broken.isCompletedExceptionally()) {
            throwIfAborted();
            try {
                now.broken.join();
            } catch (RuntimeException e) {
                if (EventLoop.unwrapped(e) instanceof BrokenException broken) {
                    throw broken;
                }
                throw e;
            }
        }
    }

    private void awaitParts(Attempt now, Deadline deadline) {
        CompletableFuture<Void> all = CompletableFuture.allOf(now.ready.toArray(CompletableFuture<?>[]::new));
        while (!all.isDone()) {
            throwIfAborted();
            throwIfBroken(now);
            if (deadline.isOver()) {
                throw new WorkerFailure("part 0 of the engine is healthy, but not all others are within "
                        + deadline.text() + tails(-1));
            }
            try {
                CompletableFuture.anyOf(all, now.broken, abort).get(LOOK.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException | ExecutionException e) {
                LOG.trace("The parts are looked at again", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new WorkerFailure("the start of the engine was interrupted");
            }
        }
    }

    /** Asks a part how it stands, again and again until it has ended. */
    private void watch(Attempt now, int index, PartState.Phase known, ExitListener exits) {
        PartPort part = parts.get(index);
        CompletableFuture<PartState> unused = part.await(now.key, known).whenComplete((state, lost) -> {
            if (lost != null) {
                over(
                        now,
                        index,
                        false,
                        "the worker of " + describe(part) + " is gone: "
                                + EventLoop.unwrapped(lost).getMessage(),
                        exits);
                return;
            }
            synchronized (lock) {
                if (attempt != now) {
                    return;
                }
                states.set(index, state);
            }
            switch (state.phase()) {
                case ENDED -> partEnded(now, index, state, exits);
                case READY -> {
                    now.ready.get(index).complete(null);
                    watch(now, index, PartState.Phase.READY, exits);
                }
                case IDLE, STARTING -> watch(now, index, state.phase(), exits);
            }
        });
    }

    private void partEnded(Attempt now, int index, PartState state, ExitListener exits) {
        String why = describe(parts.get(index)) + ": " + state.why();
        boolean serving;
        synchronized (lock) {
            serving = serves;
        }
        if (!serving && !abort.isDone()) {
            // Read before the others are ended.
            var unused = loop.block(
                    () -> now.broken.completeExceptionally(new BrokenException(why + tails(index), state.again())));
            return;
        }
        over(now, index, false, why, exits);
    }

    /** A part has ended, -1 for part 0: so has the engine. */
    private void over(Attempt now, int index, boolean clean, String why, ExitListener exits) {
        synchronized (lock) {
            if (attempt != now || abort.isDone() || failure != null) {
                return;
            }
            if (!serves) {
                now.broken.completeExceptionally(new BrokenException(why, false));
                return;
            }
            failure = spec.secrets().hide(why);
        }
        exits.ended(clean, spec.secrets().hide(why));
        var unused = loop.block(() -> {
            String explained = spec.secrets().hide(why + (index < 0 ? "" : tails(index)));
            if (index >= 0) {
                synchronized (lock) {
                    failure = explained;
                }
                exits.explained(explained);
            }
            endAll(now, Duration.ZERO);
            return true;
        });
    }

    /** Ends all parts at the same time; returns when nothing is left of them, as far as their workers can be reached. */
    private void endAll(Attempt now, Duration grace) {
        List<CompletableFuture<Boolean>> ends = new ArrayList<>();
        parts.forEach(part -> ends.add(part.end(now.key, grace).exceptionally(unreachable -> false)));
        process().shutdown(grace);
        try {
            CompletableFuture.allOf(ends.toArray(CompletableFuture<?>[]::new))
                    .get(grace.plus(ANSWER).toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.warn(
                    "A part of the engine does not answer; its worker ends it after {} s",
                    PartProcess.LEASE.toSeconds());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException("These futures never fail.", e);
        }
    }

    /** The last lines of the logs of all parts but one; -1 is part 0. */
    private String tails(int without) {
        StringBuilder text = new StringBuilder();
        if (without >= 0) {
            text.append(section("part 0 on " + kit.node().ip(), process().logTail(TAIL_LINES)));
        }
        for (int i = 0; i < parts.size(); i++) {
            if (i != without) {
                text.append(section(describe(parts.get(i)), tail(parts.get(i), TAIL_LINES)));
            }
        }
        return text.toString();
    }

    private static String section(String title, String lines) {
        return "\nLast lines of the log of " + title + ":\n  " + lines.strip().replace("\n", "\n  ");
    }

    private static String tail(PartPort part, int lines) {
        try {
            return part.logTail(lines).get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "(interrupted)";
        } catch (ExecutionException | TimeoutException e) {
            return "(its worker does not answer)";
        }
    }

    private <T> T get(CompletableFuture<T> answer, Duration timeout, PartPort part) {
        try {
            CompletableFuture.anyOf(answer, abort).get(Math.max(1, timeout.toMillis()), TimeUnit.MILLISECONDS);
            throwIfAborted();
            return answer.join();
        } catch (TimeoutException e) {
            throw new WorkerFailure(
                    "the worker of " + describe(part) + " did not answer within " + timeout.toSeconds() + " s");
        } catch (ExecutionException e) {
            throw new WorkerFailure(
                    describe(part) + ": " + EventLoop.unwrapped(e).getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the start of the engine was interrupted");
        }
    }

    private static String describe(PartPort part) {
        return "part " + part.number() + " on " + part.node();
    }

    private void waits(@Nullable String what) {
        synchronized (lock) {
            waiting = what;
        }
    }

    private void throwIfAborted() {
        if (abort.isDone()) {
            throw new WorkerFailure(
                    "the start of the engine was aborted by a shutdown of its worker, as by `sglang-ray down`");
        }
    }

    private ServerProcess process() {
        synchronized (lock) {
            return local;
        }
    }

    @Override
    public String url() {
        return process().url();
    }

    @Override
    public boolean isHealthy() {
        synchronized (lock) {
            if (!serves || failure != null) {
                return false;
            }
        }
        return process().isHealthy();
    }

    @Override
    public String logTail(int lines) {
        StringBuilder text = new StringBuilder(
                "== part 0 on " + kit.node().ip() + "\n" + process().logTail(lines));
        for (PartPort part : parts) {
            text.append("\n== ").append(describe(part)).append('\n').append(tail(part, lines));
        }
        return text.toString();
    }

    @Override
    public void shutdown(Duration grace) {
        abort.complete(null);
        Attempt last;
        boolean wasStarted;
        synchronized (lock) {
            last = attempt;
            wasStarted = started;
        }
        if (last == null) {
            process().shutdown(grace);
        } else {
            endAll(last, grace);
            last.meeting.close();
        }
        if (wasStarted) {
            startEnded
                    .completeOnTimeout(null, ANSWER.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
        }
    }

    @Override
    public Snapshot snapshot() {
        Snapshot now = process().snapshot();
        synchronized (lock) {
            WorkerState state = now.state();
            if (failure != null && !abort.isDone()) {
                state = WorkerState.FAILED;
            } else if (started && !serves && (state == WorkerState.NEW || state == WorkerState.READY)) {
                state = WorkerState.STARTING;
            }
            List<String> conditions = new ArrayList<>(now.conditions());
            if (waiting != null) {
                conditions.add(waiting);
            }
            List<WorkerStatus.Part> shown = new ArrayList<>();
            for (int i = 0; i < parts.size(); i++) {
                PartState part = states.get(i);
                String where = describe(parts.get(i));
                if (part != null) {
                    part.conditions().forEach(words -> conditions.add(where + ": " + words));
                }
                shown.add(new WorkerStatus.Part(
                        parts.get(i).number(),
                        parts.get(i).node(),
                        part == null ? null : part.pid(),
                        part == null ? null : part.workerPid(),
                        part == null ? List.of() : part.devices(),
                        part == null ? null : part.log()));
            }
            return new Snapshot(
                    state,
                    now.url(),
                    now.pid(),
                    now.log(),
                    now.secondsToReady(),
                    failure == null ? now.failure() : failure,
                    now.bootstrapPort(),
                    conditions,
                    shown);
        }
    }
}
