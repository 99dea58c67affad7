/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.gang;

import dev.sglangray.bridge.LogTail;
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
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the worker of a further part of an engine does: it starts and ends the part's process when part 0's worker asks, and ends it
 * by itself when part 0's worker has not asked for {@link #LEASE}. Safe for use by many threads.
 */
public final class PartProcess {
    private static final Logger LOG = LoggerFactory.getLogger(PartProcess.class);

    /** Part 0's worker asks every few seconds; a worker that is replaced, or is busy, is back before this is over. */
    public static final Duration LEASE = Duration.ofSeconds(60);

    /** One question is answered after this, so that one whose caller is gone does not hold a thread for long. */
    public static final Duration SLICE = Duration.ofSeconds(5);

    private static final Duration SUPERSEDED_GRACE = Duration.ofSeconds(2);

    private final ProcessFactory kit;
    private final BiFunction<ServerSpec, Incarnation, ServerProcess> factory;
    private final ProcessStarter starter;
    private final ThreadLoop loop;
    private final Duration lease;

    private final Object lock = new Object();
    private Start current = new Start("");
    private String ended = "";
    private boolean closed;

    /** One start of the engine, seen from this part; guarded by the lock of the part. */
    private static final class Start {
        final String key;
        final CompletableFuture<Void> abort = new CompletableFuture<>();
        PartState.Phase phase = PartState.Phase.IDLE;
        DeviceLocks.@Nullable Held held;

        @Nullable
        ServerProcess process;

        @Nullable
        ServerSpec spec;

        @Nullable
        String why;

        @Nullable
        String waiting;

        boolean again;
        CompletableFuture<Void> changed = new CompletableFuture<>();
        int asking;
        long asked = System.nanoTime();

        Start(String key) {
            this.key = key;
        }

        /** Returns what to complete outside the lock. */
        CompletableFuture<Void> enter(PartState.Phase next) {
            phase = next;
            CompletableFuture<Void> before = changed;
            changed = new CompletableFuture<>();
            return before;
        }
    }

    /**
     * Starts nothing.
     *
     * @param factory makes the process of a start
     * @param starter what the factory's processes are started with
     * @param lease how long part 0's worker may ask for nothing, mostly {@link #LEASE}
     */
    public PartProcess(
            ProcessFactory kit,
            BiFunction<ServerSpec, Incarnation, ServerProcess> factory,
            ProcessStarter starter,
            ThreadLoop loop,
            Duration lease) {
        this.kit = kit;
        this.factory = factory;
        this.starter = starter;
        this.loop = loop;
        this.lease = lease;
        watchLease();
    }

    private void watchLease() {
        loop.schedule(lease.dividedBy(8), () -> {
            Start start;
            synchronized (lock) {
                start = current;
                boolean works = start.phase == PartState.Phase.STARTING || start.phase == PartState.Phase.READY;
                boolean over = start.asking == 0 && System.nanoTime() - start.asked > lease.toNanos();
                if (closed || !over || !(works || start.held != null)) {
                    start = null;
                }
            }
            if (start != null) {
                Start lost = start;
                LOG.warn("The worker of part 0 has not asked for {} s; this part ends", lease.toSeconds());
                var unused = loop.block(() -> {
                    finish(
                            lost,
                            SUPERSEDED_GRACE,
                            "the worker of part 0 asked for nothing for " + lease.toSeconds() + " s");
                    return true;
                });
            }
            synchronized (lock) {
                if (closed) {
                    return;
                }
            }
            watchLease();
        });
    }

    /** See {@link PartPort#hold}. Blocks. */
    public boolean hold(String key, ServerSpec spec, Duration patience) {
        Start before;
        Start start = new Start(key);
        synchronized (lock) {
            if (closed || key.equals(ended)) {
                throw new WorkerFailure("the part was ended");
            }
            before = current;
            current = start;
            start.spec = spec;
            start.asking++;
        }
        try {
            finish(before, SUPERSEDED_GRACE, "the engine was started again");
            starter.prepare(start.abort.copy().completeOnTimeout(null, patience.toMillis(), TimeUnit.MILLISECONDS));
            DeviceLocks.Held held = kit.devices()
                    .acquire(spec.devices(kit.node()), spec.actorName(), patience, start.abort, what -> {
                        synchronized (lock) {
                            start.waiting = what;
                        }
                    });
            synchronized (lock) {
                if (current == start && !closed && !start.abort.isDone()) {
                    start.held = held;
                    return true;
                }
            }
            held.close();
            throw new WorkerFailure("the start of the engine was aborted");
        } finally {
            asked(start);
        }
    }

    private void asked(Start start) {
        synchronized (lock) {
            start.asking--;
            start.asked = System.nanoTime();
        }
    }

    /** See {@link PartPort#start}. */
    public boolean start(String key, ServerSpec spec, Incarnation incarnation) {
        ServerProcess process = factory.apply(spec, incarnation);
        Start start;
        synchronized (lock) {
            start = current;
            if (closed || !start.key.equals(key) || start.phase != PartState.Phase.IDLE || start.abort.isDone()) {
                throw new WorkerFailure("the start of the engine was aborted");
            }
            start.spec = spec;
            start.process = process;
            start.phase = PartState.Phase.STARTING;
            start.asked = System.nanoTime();
        }
        var unused = loop.block(() -> run(start, process));
        return true;
    }

    private boolean run(Start start, ServerProcess process) {
        try {
            process.start(new ExitListener() {
                @Override
                public void ended(boolean clean, String why) {
                    over(start, why, false);
                }
            });
            CompletableFuture<Void> news = null;
            synchronized (lock) {
                if (start.phase == PartState.Phase.STARTING) {
                    news = start.enter(PartState.Phase.READY);
                }
            }
            release(start);
            if (news != null) {
                news.complete(null);
            }
        } catch (TryAgainException e) {
            over(start, String.valueOf(e.getMessage()), true);
        } catch (Throwable e) {
            over(start, e instanceof WorkerFailure ? String.valueOf(e.getMessage()) : e.toString(), false);
        }
        return true;
    }

    private void over(Start start, String why, boolean again) {
        CompletableFuture<Void> news;
        synchronized (lock) {
            if (start.phase == PartState.Phase.ENDED) {
                return;
            }
            start.why = why;
            start.again = again;
            news = start.enter(PartState.Phase.ENDED);
        }
        release(start);
        news.complete(null);
    }

    /** It has loaded, or will not: others may start on its accelerators. */
    private void release(Start start) {
        DeviceLocks.Held held;
        synchronized (lock) {
            held = start.held;
            start.held = null;
        }
        if (held != null) {
            held.close();
        }
    }

    /** See {@link PartPort#await}. Blocks for {@link #SLICE} at most. */
    public PartState await(String key, PartState.Phase known) {
        Start start;
        CompletableFuture<Void> change;
        synchronized (lock) {
            start = current;
            if (!start.key.equals(key)) {
                return superseded();
            }
            start.asking++;
            change = start.phase == known ? start.changed : CompletableFuture.completedFuture(null);
        }
        try {
            change.get(SLICE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.trace("Nothing has changed", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the question to the part was interrupted");
        } finally {
            asked(start);
        }
        synchronized (lock) {
            return start.key.equals(current.key) ? state(start) : superseded();
        }
    }

    private static PartState superseded() {
        return new PartState(
                PartState.Phase.ENDED, "the engine was started again", false, null, pid(), List.of(), null, List.of());
    }

    private static long pid() {
        return ProcessHandle.current().pid();
    }

    private PartState state(Start start) {
        ServerProcess.Snapshot now = start.process == null ? null : start.process.snapshot();
        return new PartState(
                start.phase,
                start.why,
                start.again,
                now == null ? null : now.pid(),
                pid(),
                start.spec == null ? List.of() : start.spec.devices(kit.node()),
                now == null ? null : Objects.toString(now.log(), null),
                Stream.concat(Stream.ofNullable(start.waiting), now == null ? Stream.of() : now.conditions().stream())
                        .toList());
    }

    /** See {@link PartPort#end}. Blocks. */
    public boolean end(String key, Duration grace, boolean absolve) {
        Start start;
        synchronized (lock) {
            start = current;
            if (!start.key.equals(key)) {
                // It may have overtaken its hold.
                ended = key;
                return true;
            }
        }
        finish(start, grace, "it was ended");
        if (absolve) {
            starter.absolve();
        }
        return true;
    }

    /** Nothing is left of a start then. */
    private void finish(Start start, Duration grace, String why) {
        start.abort.complete(null);
        ServerProcess process;
        synchronized (lock) {
            process = start.process;
        }
        if (process != null) {
            process.shutdown(grace);
        }
        over(start, why, false);
    }

    /** The last lines of its log. */
    public String logTail(int lines) {
        ServerProcess process;
        synchronized (lock) {
            process = current.process;
        }
        return process == null ? "" : process.logTail(lines);
    }

    /** A piece of its log, from a position on or, where that is null, its last lines; without secrets. */
    public LogTail.Piece logPiece(LogTail.@Nullable Position from, int lines) {
        ServerProcess process;
        ServerSpec spec;
        synchronized (lock) {
            process = current.process;
            spec = current.spec;
        }
        return process == null || spec == null
                ? LogTail.Piece.NONE
                : spec.secrets().hide(process.snapshot().logPiece(from, lines));
    }

    /** Ends the process for good. Harmless when repeated. */
    public void shutdown(Duration grace) {
        Start start;
        synchronized (lock) {
            closed = true;
            start = current;
        }
        finish(start, grace, "it was ended");
    }
}
