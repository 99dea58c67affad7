/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.router;

import dev.sglangray.bridge.LogTail;
import dev.sglangray.workers.loop.ConditionWaits;
import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.loop.LoopCalls;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.process.Incarnation;
import dev.sglangray.workers.process.ManagedProcess;
import dev.sglangray.workers.process.ServerProcess;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.EngineRegistry;
import dev.sglangray.workers.registry.RouterPort;
import dev.sglangray.workers.supervision.EventJournal;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.ReconcileLoop;
import dev.sglangray.workers.supervision.Reconciler;
import dev.sglangray.workers.supervision.Signal;
import dev.sglangray.workers.supervision.SupervisionPhase;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import dev.sglangray.workers.supervision.SupervisionStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a router's process running, from its first start to the shutdown, and gives each one to the registry, which gives it the
 * servers. Without Ray. Safe for use by many threads.
 */
public final class RouterKeeper implements AutoCloseable {
    private static final String WHAT = "router";

    private final ThreadLoop loop;
    private final EngineRegistry registry;
    private final Function<String, RouterPort> dial;
    private final RecordStore<Kept> store;
    private final EventJournal journal;
    private final ManagedProcess process;
    private final ReconcileLoop supervisor;
    private final ConditionWaits waiters;
    private int given = -1;
    private @Nullable Kept kept;
    private volatile boolean closed;

    /**
     * What a successor must know of the process. Lies as JSON on the node.
     *
     * @param url where it serves, or did
     * @param restarts how often it came back
     * @param spentMillis when restarts were spent of the current budget, in milliseconds since 1970
     */
    public record Kept(String url, int restarts, List<Long> spentMillis) {
        public Kept {
            spentMillis = List.copyOf(spentMillis);
        }
    }

    /**
     * Starts nothing.
     *
     * @param factory makes a lifecycle for each start
     * @param probe whether the router at a URL works; a {@link WorkerFailure} says why not
     * @param dial the control API of a router at a URL
     */
    public RouterKeeper(
            SupervisionPolicy policy,
            ThreadLoop loop,
            EventJournal journal,
            Function<Incarnation, ? extends ServerProcess> factory,
            Consumer<String> probe,
            EngineRegistry registry,
            Function<String, RouterPort> dial,
            RecordStore<Kept> store) {
        this.loop = loop;
        this.journal = journal;
        this.registry = registry;
        this.dial = dial;
        this.store = store;
        this.waiters = new ConditionWaits(loop);
        this.process = new ManagedProcess(WHAT, factory, probe, loop);
        this.supervisor = new ReconcileLoop(
                loop,
                new Reconciler(WHAT, policy, loop::now, journal),
                process,
                // The fleet has the router's URL and nothing else, so a successor must serve there too.
                (incarnation, news) -> process.start(incarnation, true, news),
                this::standingChanged);
    }

    private void standingChanged(SupervisionStatus standing) {
        SupervisionPhase condition = standing.condition();
        String url = process.knownUrl();
        if (condition instanceof SupervisionPhase.Serving && url != null && given != standing.incarnation()) {
            given = standing.incarnation();
            registry.routerUp(dial.apply(url));
        } else if (!(condition instanceof SupervisionPhase.Serving)
                && !(condition instanceof SupervisionPhase.Ending)
                && given >= 0) {
            // Until its end is certain a router that hangs may still send requests.
            given = -1;
            registry.routerDown();
        }
        if (!(condition instanceof SupervisionPhase.Idle) && url != null) {
            Kept now = new Kept(url, standing.restarts(), standing.spentMillis());
            if (!now.equals(kept)) {
                kept = now;
                CompletableFuture<Void> unused = store.save(now);
            }
        }
        waiters.changed();
    }

    /** The first start, on the caller's thread, which is not repeated; returns the URL. */
    public String start() {
        String url = process.startFirst(supervisor::signal);
        loop.execute(() -> supervisor.signal(new Signal.Adopted()));
        return url;
    }

    /** Takes over from a process of the worker that died, if that one had started something; the URL is known at once. */
    public boolean inherit() {
        Optional<Kept> past = store.load();
        past.ifPresent(kept -> {
            process.inherit(kept.url());
            List<Instant> spent =
                    kept.spentMillis().stream().map(Instant::ofEpochMilli).toList();
            CompletableFuture<Boolean> inherited = loop.ask(() -> {
                supervisor.signal(new Signal.Inherited(kept.restarts(), spent));
                return CompletableFuture.completedFuture(true);
            });
            LoopCalls.join(inherited.completeOnTimeout(false, 5, TimeUnit.SECONDS));
        });
        return past.isPresent();
    }

    /** The URL, also while the process is being replaced; fails before it was known, and once the process is lost. */
    public String url() {
        SupervisionStatus now = supervisor.standing();
        if (now.isLost()) {
            throw new WorkerFailure(now.describe(WHAT));
        }
        return process.url();
    }

    public boolean isHealthy() {
        return process.lifecycle().isHealthy();
    }

    public String logTail(int lines) {
        return process.lifecycle().logTail(lines);
    }

    /** See {@link ServerProcess.Snapshot#logPiece}. */
    public LogTail.Piece logPiece(LogTail.@Nullable Position from, int lines) {
        return process.lifecycle().snapshot().logPiece(from, lines);
    }

    /** What the process says of itself, and how it stands with the supervision. */
    public WorkerStatus status(WorkerStatus.Identity identity, WorkerNode node, WorkerStatus.ServicePart service) {
        return process.status(identity, node, List.of(), supervisor.standing(), false, service);
    }

    public EventJournal journal() {
        return journal;
    }

    /** Has the process replaced, and does not wait for it. */
    void restartSoon(String why) {
        loop.execute(() -> supervisor.signal(new Signal.RestartWanted(why)));
    }

    /** Replaces the process; returns when the new one serves and lists every server that it is to send to. */
    public void restart(String why, Duration timeout) {
        await(timeout, () -> {
            Deadline whole = Deadline.in(loop, timeout);
            SupervisionStatus before = supervisor.standing();
            // A process that is starting is as new as was asked for.
            int wanted = before.incarnation() + (before.condition() instanceof SupervisionPhase.Starting ? 0 : 1);
            supervisor.signal(new Signal.RestartWanted(why));
            return waiters.until(
                            () -> supervisor.standing().incarnation() >= wanted
                                    && (supervisor.standing().isLost()
                                            || supervisor.standing().isServing()),
                            timeout)
                    .thenCompose(serving -> serving && supervisor.standing().isServing()
                            ? registry.awaitSettled(whole.left())
                            : CompletableFuture.completedFuture(false))
                    .thenApply(done -> {
                        SupervisionStatus now = supervisor.standing();
                        if (now.isLost()) {
                            throw new WorkerFailure("the router did not come back: " + now.describe(WHAT));
                        }
                        if (!done) {
                            throw new WorkerFailure("the router did not come back with its servers within "
                                    + timeout.toSeconds() + " s"
                                    + (now.lastError() == null ? "" : "; the last error: " + now.lastError()));
                        }
                        return true;
                    });
        });
    }

    /** Asks the loop, and waits a little longer than it may take. */
    private <T> T await(Duration timeout, Supplier<CompletableFuture<T>> question) {
        return LoopCalls.await(loop, timeout, question);
    }

    /** Ends the process for good; returns when nothing is left of it. Harmless when repeated. */
    @Override
    public void close() {
        boolean first = !closed;
        closed = true;
        if (first) {
            CompletableFuture<Boolean> ended = loop.ask(() -> {
                supervisor.stop();
                registry.end();
                return CompletableFuture.completedFuture(true);
            });
            LoopCalls.join(ended.completeOnTimeout(false, 5, TimeUnit.SECONDS));
        }
        process.shutdown();
        if (first) {
            journal.add(EventKind.STOPPED, "the router was ended");
        }
    }
}
