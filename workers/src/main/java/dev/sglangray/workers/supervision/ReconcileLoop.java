/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import dev.sglangray.workers.loop.EventLoop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Has done what a {@link Reconciler} decides, on an event loop. Nothing happens between two signals or due times. For use on the
 * loop only, but for {@link #standing()}.
 */
public final class ReconcileLoop {
    private final EventLoop loop;
    private final Reconciler reconciler;
    private final ProcessActions actions;
    private final Starter starter;
    private final Consumer<SupervisionStatus> changed;
    private volatile SupervisionStatus standing;
    private final Deque<Signal> news = new ArrayDeque<>();
    private EventLoop.@Nullable Timer timer;
    private boolean stopped;

    /**
     * Waits for its first signal.
     *
     * @param starter starts the process; only it calls {@link ProcessActions#start}
     * @param changed takes each new standing, before anything is done about it
     */
    public ReconcileLoop(
            EventLoop loop,
            Reconciler reconciler,
            ProcessActions actions,
            Starter starter,
            Consumer<SupervisionStatus> changed) {
        this.loop = loop;
        this.reconciler = reconciler;
        this.actions = actions;
        this.starter = starter;
        this.changed = changed;
        this.standing = reconciler.standing();
    }

    /** Starts the process, with what its owner adds to the start. */
    public interface Starter {
        /** As {@link ProcessActions#start}. */
        CompletableFuture<Void> start(int incarnation, Consumer<Signal> news);
    }

    /** Takes news and does what follows from it; what comes meanwhile waits. Ignored after {@link #stop()}. */
    public void signal(Signal signal) {
        if (stopped) {
            return;
        }
        news.addLast(signal);
        if (news.size() > 1) {
            return;
        }
        while (!news.isEmpty()) {
            take(news.getFirst());
            news.removeFirst();
        }
    }

    private void take(Signal signal) {
        List<Action> wanted = reconciler.on(signal);
        standing = reconciler.standing();
        schedule();
        changed.accept(standing);
        wanted.forEach(this::begin);
    }

    private void schedule() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        Optional<Instant> due = reconciler.due();
        if (due.isPresent()) {
            Duration wait = Duration.between(loop.now(), due.get());
            timer = loop.schedule(wait.isNegative() ? Duration.ZERO : wait, () -> signal(new Signal.Tick()));
        }
    }

    private void begin(Action action) {
        if (action instanceof Action.Start start) {
            int incarnation = start.incarnation();
            run(
                    () -> starter.start(incarnation, this::signal),
                    why -> why == null ? new Signal.Started(incarnation) : new Signal.StartFailed(incarnation, why));
        } else if (action instanceof Action.End end) {
            run(
                    () -> actions.end(end.incarnation(), end.gently()),
                    why -> new Signal.Exited(end.incarnation(), false, why == null ? "it was ended" : why));
        } else if (action instanceof Action.Probe probe) {
            run(
                    () -> actions.probe(probe.incarnation()),
                    why -> new Signal.Probed(probe.incarnation(), why == null, why == null ? "" : why));
        }
    }

    private interface Deed {
        CompletableFuture<Void> begin();
    }

    /** Whatever fails, an error of the JVM included, becomes the failure signal: a reconciler that waits for it must get it. */
    private void run(Deed deed, Function<@Nullable String, Signal> news) {
        CompletableFuture<Void> done;
        try {
            done = deed.begin();
        } catch (Throwable e) {
            done = CompletableFuture.failedFuture(e);
        }
        CompletableFuture<Void> unused = done.whenComplete((nothing, failure) -> {
            String why = failure == null ? null : EventLoop.words(failure);
            loop.execute(() -> signal(news.apply(why)));
        });
    }

    /** How things stood after the last signal. Safe for use by many threads. */
    public SupervisionStatus standing() {
        return standing;
    }

    /** Decides nothing any more. What runs stays as it is. */
    public void stop() {
        signal(new Signal.Stopped());
        stopped = true;
        if (timer != null) {
            timer.cancel();
        }
    }
}
