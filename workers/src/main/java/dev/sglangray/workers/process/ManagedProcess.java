/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.ProcessActions;
import dev.sglangray.workers.supervision.Signal;
import dev.sglangray.workers.supervision.SupervisionPhase;
import dev.sglangray.workers.supervision.SupervisionStatus;
import java.net.URI;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The process of one worker, engine or router: one lifecycle after the other, each in the place of its predecessor. It starts, ends
 * and probes when asked, on threads of the worker's loop; when to do so is decided elsewhere. Safe for use by many threads.
 */
public final class ManagedProcess implements ProcessActions {
    private static final Duration GRACE = Duration.ofSeconds(10);
    /** A process that hangs will not use its grace. */
    private static final Duration HUNG_GRACE = Duration.ofSeconds(2);

    private final String what;
    private final Function<Incarnation, ? extends ServerProcess> factory;
    private final Consumer<String> probe;
    private final ThreadLoop loop;
    private final Object lock = new Object();
    private @Nullable ServerProcess current;
    private int number;
    private @Nullable String url;
    private boolean started;
    private boolean stopped;

    /**
     * Starts nothing.
     *
     * @param what the word for messages, {@code engine} or {@code router}
     * @param factory makes a lifecycle for each start
     * @param probe whether the server at a URL does its work; a {@link WorkerFailure} says why not
     */
    public ManagedProcess(
            String what,
            Function<Incarnation, ? extends ServerProcess> factory,
            Consumer<String> probe,
            ThreadLoop loop) {
        this.what = what;
        this.factory = factory;
        this.probe = probe;
        this.loop = loop;
    }

    private ExitListener exits(int incarnation, Consumer<Signal> news) {
        return new ExitListener() {
            @Override
            public void ended(boolean clean, String why) {
                loop.execute(() -> news.accept(new Signal.Exited(incarnation, clean, why)));
            }

            @Override
            public void explained(String why) {
                loop.execute(() -> news.accept(new Signal.Explained(incarnation, why)));
            }
        };
    }

    /**
     * The first start, once, on the caller's thread; returns the URL, or fails with the words of what failed.
     *
     * @param news takes the end of the process, on the loop
     */
    public String startFirst(Consumer<Signal> news) {
        ServerProcess first;
        synchronized (lock) {
            if (stopped || started) {
                throw new WorkerFailure("the " + what + (stopped ? " was ended" : " was started before"));
            }
            started = true;
            // Not one that was asked before the key to the specification's secrets came.
            first = factory.apply(Incarnation.FIRST);
            current = first;
        }
        String where = first.start(exits(0, news));
        synchronized (lock) {
            url = where;
        }
        return where;
    }

    /** Where a predecessor of this worker's process served. */
    public void inherit(String predecessors) {
        synchronized (lock) {
            url = predecessors;
        }
    }

    @Override
    public CompletableFuture<Void> start(int incarnation, boolean sameUrl, Consumer<Signal> news) {
        return loop.block(() -> {
            ServerProcess previous;
            ServerProcess next;
            synchronized (lock) {
                previous = lifecycle();
                Integer port = url == null || !sameUrl ? null : URI.create(url).getPort();
                next = factory.apply(new Incarnation(incarnation, port));
            }
            // What is left of it must be gone before its memory and port are taken.
            previous.shutdown(HUNG_GRACE);
            synchronized (lock) {
                if (stopped) {
                    throw new WorkerFailure("the " + what + " was ended");
                }
                current = next;
                number = incarnation;
            }
            String where = next.start(exits(incarnation, news));
            synchronized (lock) {
                url = where;
            }
            return null;
        });
    }

    @Override
    public CompletableFuture<Void> end(int incarnation, boolean gently) {
        return loop.block(() -> {
            ServerProcess ending;
            synchronized (lock) {
                if (number != incarnation) {
                    return null;
                }
                ending = lifecycle();
            }
            ending.shutdown(gently ? GRACE : HUNG_GRACE);
            return null;
        });
    }

    @Override
    public CompletableFuture<Void> probe(int incarnation) {
        return loop.block(() -> {
            probe.accept(lifecycle().url());
            return null;
        });
    }

    /** The process of the last start; before the first one that is not started. */
    public ServerProcess lifecycle() {
        synchronized (lock) {
            if (current == null) {
                current = factory.apply(Incarnation.FIRST);
            }
            return current;
        }
    }

    /** The URL, also while the process is being replaced; fails before it was known, and after the end. */
    public String url() {
        synchronized (lock) {
            return url == null || stopped ? lifecycle().url() : url;
        }
    }

    /** Where it serves, or did last; null before its first start. */
    @Nullable
    public String knownUrl() {
        synchronized (lock) {
            return url;
        }
    }

    /**
     * All that its worker says about itself.
     *
     * @param withheld whether requests are kept away although it serves
     */
    public WorkerStatus status(
            WorkerStatus.Identity identity,
            WorkerNode node,
            List<String> devices,
            SupervisionStatus standing,
            boolean withheld,
            WorkerStatus.ServicePart service) {
        ServerProcess.Snapshot now = lifecycle().snapshot();
        SupervisionPhase phase = standing.condition();
        String known = knownUrl();
        boolean idle = phase instanceof SupervisionPhase.Idle;
        WorkerState state = idle ? now.state() : state(phase, withheld);
        String failure = idle ? now.failure() : phase instanceof SupervisionPhase.Lost lost ? lost.why() : null;
        return new WorkerStatus(
                identity,
                state.name(),
                idle || known == null ? now.url() : known,
                new WorkerStatus.ProcessPart(
                        node.nodeId(),
                        node.ip(),
                        now.pid(),
                        ProcessHandle.current().pid(),
                        devices,
                        Objects.toString(now.log(), null),
                        now.secondsToReady(),
                        now.parts()),
                new WorkerStatus.SupervisionPart(
                        failure,
                        idle
                                ? null
                                : standing.since()
                                        .truncatedTo(ChronoUnit.MILLIS)
                                        .toString(),
                        idle ? 0 : standing.restarts(),
                        idle ? failure : standing.lastError(),
                        standing.probes(),
                        Objects.toString(now.forkServerSince(), null)),
                new WorkerStatus.ServicePart(
                        service.weightVersion(),
                        Stream.concat(now.conditions().stream(), service.conditions().stream())
                                .toList(),
                        service.changes()));
    }

    private static WorkerState state(SupervisionPhase phase, boolean withheld) {
        if (phase instanceof SupervisionPhase.Serving) {
            return withheld ? WorkerState.DRAINED : WorkerState.READY;
        }
        return phase instanceof SupervisionPhase.Lost ? WorkerState.FAILED : WorkerState.RESTARTING;
    }

    /** Ends the process for good; returns when nothing is left of it. Harmless when repeated. */
    public void shutdown() {
        synchronized (lock) {
            stopped = true;
        }
        lifecycle().shutdown(GRACE);
    }
}
