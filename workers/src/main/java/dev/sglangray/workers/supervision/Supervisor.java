/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out what a {@link Reconciler} decides: one thread that decides, and threads that act and go when idle. Nothing
 * happens between two signals or due times. Safe for use by many threads.
 */
public final class Supervisor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);
    private static final long IDLE_SECONDS = 10;

    private final Reconciler reconciler;
    private final Hands hands;
    private final InstantSource clock;
    private final ScheduledThreadPoolExecutor decides;
    private final ThreadPoolExecutor acts;
    private volatile Standing standing;
    private @Nullable Future<?> timer;

    /**
     * Waits for its first signal.
     *
     * @param name the actor's name, for its threads
     */
    public Supervisor(String name, Reconciler reconciler, InstantSource clock, Hands hands) {
        this.reconciler = reconciler;
        this.clock = clock;
        this.hands = hands;
        this.standing = reconciler.standing();
        decides = new ScheduledThreadPoolExecutor(1, task -> daemon(task, "supervise-" + name));
        decides.setRemoveOnCancelPolicy(true);
        decides.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        decides.allowCoreThreadTimeOut(true);
        acts = new ThreadPoolExecutor(
                0,
                Integer.MAX_VALUE,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                task -> daemon(task, "act-" + name));
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        // Ray's answers are deserialized on these threads, and their classes are this program's.
        thread.setContextClassLoader(Supervisor.class.getClassLoader());
        return thread;
    }

    /** Tells what happened; returns at once. Ignored after {@link #close()}. */
    public void signal(Signal signal) {
        try {
            decides.execute(() -> take(signal));
        } catch (RejectedExecutionException e) {
            LOG.debug("Too late: {}", signal);
        }
    }

    private void take(Signal signal) {
        try {
            List<Action> actions = reconciler.on(signal);
            standing = reconciler.standing();
            hands.changed(standing);
            actions.forEach(this::begin);
            schedule();
        } catch (RuntimeException e) {
            LOG.error("A decision failed on {}", signal, e);
        }
    }

    private void schedule() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
        Optional<Instant> due = reconciler.due();
        if (due.isPresent() && !decides.isShutdown()) {
            long millis = due.get().isBefore(clock.instant())
                    ? 0
                    : Duration.between(clock.instant(), due.get()).toMillis() + 1;
            timer = decides.schedule(() -> take(new Signal.Tick()), millis, TimeUnit.MILLISECONDS);
        }
    }

    private void begin(Action action) {
        try {
            acts.execute(() -> signal(act(action)));
        } catch (RejectedExecutionException e) {
            LOG.debug("Too late: {}", action);
        }
    }

    private Signal act(Action action) {
        if (action instanceof Action.Start start) {
            String why = attempt(() -> hands.start(start.incarnation()));
            return why == null
                    ? new Signal.Started(start.incarnation())
                    : new Signal.StartFailed(start.incarnation(), why);
        }
        if (action instanceof Action.End end) {
            String why = attempt(() -> hands.end(end.gently()));
            return new Signal.Exited(end.incarnation(), false, why == null ? "it was ended" : why);
        }
        if (action instanceof Action.Probe probe) {
            String why = attempt(hands::probe);
            return new Signal.Probed(probe.incarnation(), why == null, why == null ? "" : why);
        }
        if (action instanceof Action.Publish publish) {
            String why = attempt(hands::publish);
            return why == null ? new Signal.Told(publish.errand()) : new Signal.TellingFailed(publish.errand(), why);
        }
        int errand = ((Action.Withdraw) action).errand();
        String why = attempt(hands::withdraw);
        return why == null ? new Signal.Told(errand) : new Signal.TellingFailed(errand, why);
    }

    private static @Nullable String attempt(Runnable deed) {
        try {
            deed.run();
            return null;
        } catch (RuntimeException e) {
            return e.getMessage() == null ? e.toString() : e.getMessage();
        }
    }

    /** How things stood after the last signal. */
    public Standing standing() {
        return standing;
    }

    /** Decides nothing any more and interrupts what is under way. What runs goes on running. */
    @Override
    public void close() {
        signal(new Signal.Stopped());
        decides.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        decides.shutdown();
        acts.shutdownNow();
    }
}
