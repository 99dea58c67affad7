/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.gang;

import dev.sglangray.bridge.PortLease;
import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.DeviceLocks;
import dev.sglangray.workers.process.ExitListener;
import dev.sglangray.workers.process.HttpServerProcess;
import dev.sglangray.workers.process.HttpServerProcess.CommonPorts;
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
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
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
    /** For what takes no time. */
    private static final Duration ANSWER = Duration.ofSeconds(5);

    private static final Duration LONG_ANSWER = Duration.ofSeconds(30);
    /** A connection may break and a worker be stopped for a moment, and its part serve all the same. */
    private static final Duration SILENCE = Duration.ofSeconds(20);
    /** From the end of one part to that of the next, if one is the cause of the other. */
    private static final Duration NEWS = Duration.ofSeconds(1);

    private static final Duration NODE_RETURNS = Duration.ofDays(365);
    private static final int NONE = -2;
    private static final int ABSOLVE_ALL = -3;
    private static final Duration FAILED_GRACE = Duration.ofSeconds(2);
    private static final Duration LOOK = Duration.ofMillis(250);

    private final ServerSpec spec;
    private final ProcessFactory kit;
    private final BiFunction<ServerSpec, Incarnation, ServerProcess> factory;
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

    /** Part 0's place among the parts. */
    private static final int LOCAL = -1;

    /** The first part that ended, and why. */
    private record Broken(int index, String why, boolean again, boolean portLost) {}

    /** One try to start all parts; what changes in it is guarded by the lock of the gang. */
    private static final class Attempt {
        final String key = UUID.randomUUID().toString();
        final CommonPorts ports;
        final List<CompletableFuture<Void>> ready = new ArrayList<>();
        /** Completes once a part has ended before the engine served. */
        final CompletableFuture<Void> over = new CompletableFuture<>();

        @Nullable
        Broken broken;

        DeviceLocks.@Nullable Held held;

        Attempt(CommonPorts ports, int parts) {
            this.ports = ports;
            for (int i = 0; i < parts; i++) {
                ready.add(new CompletableFuture<>());
            }
        }
    }

    /** A start that came to nothing. */
    private static final class BrokenException extends RuntimeException {
        final Broken broken;

        BrokenException(Broken broken, String message) {
            super(message);
            this.broken = broken;
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
            BiFunction<ServerSpec, Incarnation, ServerProcess> factory,
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
        this.local = factory.apply(spec, incarnation);
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
            String text = hidden(e);
            synchronized (lock) {
                failure = text;
            }
            throw new WorkerFailure(text);
        } finally {
            startEnded.complete(null);
        }
    }

    private String startWithRetries(ExitListener exits) {
        openAll();
        Incarnation next = incarnation;
        boolean portLost = false;
        Deadline all = Deadline.in(spec.healthTimeout().multipliedBy(2));
        for (int n = 1; ; n++) {
            throwIfAborted();
            Attempt now = new Attempt(HttpServerProcess.commonPorts(spec, kit), parts.size());
            synchronized (lock) {
                attempt = now;
            }
            int culprit = LOCAL;
            boolean kept = false;
            try {
                String url = startOnce(now, next, exits);
                kept = true;
                return url;
            } catch (BrokenException e) {
                culprit = e.broken.index();
                boolean last = n >= MAX_ATTEMPTS || all.isOver() || abort.isDone() || !e.broken.again();
                if (last && n > 1) {
                    // It was started in another way, and does not start so either.
                    culprit = ABSOLVE_ALL;
                }
                if (last) {
                    throw e;
                }
                LOG.warn("All parts of the engine are started again: {}", hidden(e));
                portLost |= e.broken.index() == LOCAL && e.broken.portLost();
                next = new Incarnation(incarnation.number(), portLost ? null : incarnation.port()).variant("-try" + n);
            } finally {
                if (!kept) {
                    endAll(now, FAILED_GRACE, culprit);
                    release(now);
                    now.ports.close();
                }
            }
        }
    }

    private String hidden(RuntimeException e) {
        return spec.secrets().hide(String.valueOf(e.getMessage()));
    }

    private String startOnce(Attempt now, Incarnation next, ExitListener exits) {
        PortLease bootstrap = now.ports.bootstrap();
        ServerSpec first = spec.meetingAt(
                kit.node().advertisedHost("*") + ":" + now.ports.port(), bootstrap == null ? null : bootstrap.port());
        try {
            holdAll(now, first, exits);
            // The wait for other engines does not count for the time that this one may take.
            Deadline deadline = Deadline.in(spec.healthTimeout().plus(ANSWER));
            Incarnation ofPart = new Incarnation(next.number(), null, next.variant());
            for (PartPort part : parts) {
                get(part.start(now.key, first.part(part.number()), ofPart), LONG_ANSWER, part);
            }
            String url = startLocal(now, first, next, exits);
            awaitParts(now, deadline);
            synchronized (lock) {
                // A part that ended just now has broken this start, and its end is said once.
                serves = now.broken == null;
            }
            throwIfBroken(now);
            release(now);
            return url;
        } finally {
            waits(null);
        }
    }

    /** What loads on accelerators, one engine after the other. */
    private void holdAll(Attempt now, ServerSpec first, ExitListener exits) {
        Duration patience = spec.healthTimeout();
        starter.prepare(abort.copy().completeOnTimeout(null, patience.toMillis(), TimeUnit.MILLISECONDS));
        // In the order of the nodes' addresses: two engines on the same nodes never wait for each other.
        Map<String, Runnable> holds = new TreeMap<>();
        holds.put(kit.node().ip(), () -> {
            DeviceLocks.Held held =
                    kit.devices().acquire(first.devices(kit.node()), spec.actorName(), patience, abort, this::waits);
            synchronized (lock) {
                now.held = held;
            }
        });
        for (int i = 0; i < parts.size(); i++) {
            PartPort part = parts.get(i);
            int index = i;
            holds.put(part.node(), () -> {
                waits("waits for the accelerators of " + describe(part));
                get(part.hold(now.key, first.part(part.number()), patience), longer(patience), part);
                // From here on, so that the part's lease is renewed.
                watch(now, index, PartState.Phase.IDLE, exits, null);
            });
        }
        holds.values().forEach(hold -> {
            throwIfAborted();
            throwIfBroken(now);
            hold.run();
        });
        waits(null);
    }

    /** Other engines may start on part 0's accelerators; those of the other parts are free once each has loaded. */
    private void release(Attempt now) {
        DeviceLocks.Held held;
        synchronized (lock) {
            held = now.held;
            now.held = null;
        }
        if (held != null) {
            held.close();
        }
    }

    /** The imports, and one other engine, and a little. */
    private static Duration longer(Duration patience) {
        return patience.multipliedBy(2).plus(LONG_ANSWER);
    }

    /**
     * All workers are there, and each on a machine of its own as far as SGLang can see. A first start waits for them as long as it
     * may take; a later one without end, as a lost node may return.
     */
    private void openAll() {
        Duration patience = incarnation.number() == 0 ? spec.healthTimeout() : NODE_RETURNS;
        List<PartFacts> facts = new ArrayList<>(List.of(PartFacts.here()));
        List<String> nodes = new ArrayList<>(List.of(kit.node().ip()));
        List<CompletableFuture<PartFacts>> opened = new ArrayList<>();
        parts.forEach(part -> opened.add(part.open(spec.part(part.number()), patience, abort)));
        for (int i = 0; i < parts.size(); i++) {
            PartPort part = parts.get(i);
            waits("waits for the worker of " + describe(part));
            PartFacts there = get(opened.get(i), patience.plus(LONG_ANSWER), part);
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
        ServerProcess process = factory.apply(first, next);
        synchronized (lock) {
            throwIfAborted();
            local = process;
        }
        CompletableFuture<Void> unused = now.over.thenRun(() -> {
            // Without its peers it would wait until its deadline.
            var unusedEnd = loop.block(() -> {
                process.shutdown(Duration.ZERO);
                return true;
            });
        });
        try {
            return process.start(new ExitListener() {
                @Override
                public void ended(boolean clean, String why) {
                    over(now, new Broken(LOCAL, why, false, false), clean, exits);
                }
            });
        } catch (TryAgainException e) {
            return brokenBy(now, new Broken(LOCAL, String.valueOf(e.getMessage()), true, e.portLost()));
        } catch (WorkerFailure e) {
            return brokenBy(now, new Broken(LOCAL, String.valueOf(e.getMessage()), false, false));
        }
    }

    /** Part 0 may have ended because another part did, whose end is known a moment later. */
    private String brokenBy(Attempt now, Broken ofLocal) {
        throwIfAborted();
        join(CompletableFuture.anyOf(now.over, abort), NEWS);
        throwIfAborted();
        synchronized (lock) {
            if (now.broken == null) {
                now.broken = ofLocal;
            }
        }
        throwIfBroken(now);
        throw new IllegalStateException("a broken start is not broken");
    }

    private static void join(CompletableFuture<?> future, Duration timeout) {
        try {
            future.get(Math.max(1, timeout.toMillis()), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.trace("Waited for the parts", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the start of the engine was interrupted");
        }
    }

    private void throwIfBroken(Attempt now) {
        Broken broken;
        synchronized (lock) {
            broken = now.broken;
        }
        if (broken != null) {
            throwIfAborted();
            throw new BrokenException(broken, words(broken) + joined(tails(broken.index())));
        }
    }

    private String words(Broken broken) {
        return broken.index() == LOCAL ? broken.why() : describe(parts.get(broken.index())) + ": " + broken.why();
    }

    private void awaitParts(Attempt now, Deadline deadline) {
        CompletableFuture<Void> all = CompletableFuture.allOf(now.ready.toArray(CompletableFuture<?>[]::new));
        while (!all.isDone()) {
            throwIfAborted();
            throwIfBroken(now);
            if (deadline.isOver()) {
                throw new WorkerFailure("part 0 of the engine is healthy, but not all others are within "
                        + deadline.text() + joined(tails(LOCAL)));
            }
            join(CompletableFuture.anyOf(all, now.over, abort), LOOK);
        }
    }

    /**
     * Asks a part how it stands, again and again until it has ended.
     *
     * @param silent since when it does not answer, or null
     */
    private void watch(Attempt now, int index, PartState.Phase known, ExitListener exits, @Nullable Deadline silent) {
        PartPort part = parts.get(index);
        CompletableFuture<PartState> unused = part.await(now.key, known).whenComplete((state, failure) -> {
            if (failure != null) {
                Throwable cause = EventLoop.unwrapped(failure);
                Deadline patience = silent == null ? Deadline.in(SILENCE) : silent;
                if (cause instanceof PartLostException || patience.isOver()) {
                    over(
                            now,
                            new Broken(index, "its worker is gone: " + cause.getMessage(), false, false),
                            false,
                            exits);
                } else if (isCurrent(now)) {
                    // Its process may well be there, and a worker that was replaced says that it is not.
                    loop.schedule(LOOK, () -> watch(now, index, known, exits, patience));
                }
                return;
            }
            synchronized (lock) {
                if (attempt != now) {
                    return;
                }
                states.set(index, state);
            }
            if (state.phase() == PartState.Phase.ENDED) {
                over(now, new Broken(index, String.valueOf(state.why()), state.again(), false), false, exits);
                return;
            }
            if (state.phase() == PartState.Phase.READY) {
                now.ready.get(index).complete(null);
            }
            if (isCurrent(now)) {
                watch(now, index, state.phase(), exits, null);
            }
        });
    }

    private boolean isCurrent(Attempt now) {
        synchronized (lock) {
            return attempt == now && now.broken == null && failure == null && !abort.isDone();
        }
    }

    /** A part has ended: so has the engine. */
    private void over(Attempt now, Broken broken, boolean clean, ExitListener exits) {
        String why = spec.secrets().hide(words(broken));
        boolean served;
        synchronized (lock) {
            if (attempt != now || abort.isDone() || failure != null || now.broken != null) {
                return;
            }
            now.broken = broken;
            served = serves;
            if (served) {
                failure = why;
            }
        }
        now.over.complete(null);
        if (served) {
            // Before a next start may begin, whose logs these would be.
            List<CompletableFuture<String>> logs = tails(NONE);
            exits.ended(clean, why);
            var unused = loop.block(() -> {
                endAll(now, Duration.ZERO, ABSOLVE_ALL);
                String explained = spec.secrets().hide(why + joined(logs));
                synchronized (lock) {
                    failure = explained;
                }
                exits.explained(explained);
                return true;
            });
        }
    }

    /**
     * Ends all parts at the same time; returns when nothing is left of them, as far as their workers can be reached.
     *
     * @param culprit the part that is to blame, if forks are; {@link #ABSOLVE_ALL} for none
     */
    private void endAll(Attempt now, Duration grace, int culprit) {
        List<CompletableFuture<Boolean>> ends = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
            ends.add(parts.get(i).end(now.key, grace, i != culprit).exceptionally(unreachable -> false));
        }
        process().shutdown(grace);
        if (culprit != LOCAL) {
            starter.absolve();
        }
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

    /** The last lines of the logs of all parts but one. */
    private List<CompletableFuture<String>> tails(int without) {
        List<CompletableFuture<String>> sections = new ArrayList<>();
        if (without != LOCAL) {
            sections.add(CompletableFuture.completedFuture(
                    section("part 0 on " + kit.node().ip(), process().logTail(TAIL_LINES))));
        }
        for (int i = 0; i < parts.size(); i++) {
            if (i != without) {
                PartPort part = parts.get(i);
                sections.add(tail(part, TAIL_LINES).thenApply(lines -> section(describe(part), lines)));
            }
        }
        return sections;
    }

    private static String joined(List<CompletableFuture<String>> sections) {
        return sections.stream().map(CompletableFuture::join).collect(Collectors.joining());
    }

    private static String section(String title, String lines) {
        return "\nLast lines of the log of " + title + ":\n  " + lines.strip().replace("\n", "\n  ");
    }

    private static CompletableFuture<String> tail(PartPort part, int lines) {
        return part.logTail(lines)
                .completeOnTimeout("(its worker does not answer)", ANSWER.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionally(failure -> "(its worker does not answer)");
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
            throw WorkerFailure.abortedStart("engine");
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
        List<CompletableFuture<String>> others = new ArrayList<>();
        for (PartPort part : parts) {
            others.add(tail(part, lines).thenApply(text -> "\n== " + describe(part) + "\n" + text));
        }
        return "== part 0 on " + kit.node().ip() + "\n" + process().logTail(lines) + joined(others);
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
            endAll(last, grace, ABSOLVE_ALL);
            release(last);
            last.ports.close();
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
                    shown,
                    now.forkServerSince());
        }
    }
}
