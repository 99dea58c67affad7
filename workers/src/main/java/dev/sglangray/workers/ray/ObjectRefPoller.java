/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.ray;

import dev.sglangray.config.thread.Threads;
import io.ray.api.ObjectRef;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Turns Ray's references into futures with one daemon thread for the whole driver. Ray's own {@code get} cannot be
 * interrupted, so the thread waits in short slices; it ends when nothing has been pending for a while.
 */
public final class ObjectRefPoller {
    private static final Logger LOG = LoggerFactory.getLogger(ObjectRefPoller.class);

    /** A slice holds up calls made meanwhile, so it is short at first and grows while nothing happens. */
    private static final int FIRST_SLICE_MS = 2;

    private static final int LONGEST_SLICE_MS = 50;
    private static final long IDLE_SECONDS = 10;

    private static final int LONG_SLICE_MS = 200;
    /** Each slice costs Ray a look at every reference, of which there may be one for each engine. */
    private static final int WATCH_SLICE_MS = 1000;

    private static final Duration STOP = Duration.ofSeconds(5);

    /** One driver is one JVM, so its one waiter belongs to the JVM. */
    private static final ObjectRefPoller SHARED = new ObjectRefPoller();

    private static final ObjectRefPoller FOR_LONG_CALLS = new ObjectRefPoller(LONG_SLICE_MS);
    private static final ObjectRefPoller FOR_WATCHES = new ObjectRefPoller(WATCH_SLICE_MS);

    private final int longestSliceMs;
    private final Waiting ray;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final List<Pending<?>> incoming = new ArrayList<>();
    private @Nullable Thread thread;
    private boolean stopping;

    private record Pending<T>(ObjectRef<T> ref, CompletableFuture<T> future) {
        void finish() {
            try {
                future.complete(ref.get());
            } catch (Throwable e) {
                future.completeExceptionally(e);
            }
        }
    }

    ObjectRefPoller() {
        this(LONGEST_SLICE_MS);
    }

    /** Its thread is inside Ray for so long at a time while nothing happens, and as long unable to take new references. */
    ObjectRefPoller(int longestSliceMs) {
        this(
                longestSliceMs,
                (refs, count, sliceMs) -> Ray.wait(refs, count, sliceMs).getReady());
    }

    ObjectRefPoller(int longestSliceMs, Waiting ray) {
        this.longestSliceMs = longestSliceMs;
        this.ray = ray;
    }

    /** Ray's {@code wait}: up to {@code count} of the references, as soon as so many are ready or the time is over. */
    @FunctionalInterface
    interface Waiting {
        List<ObjectRef<Object>> ready(List<ObjectRef<Object>> refs, int count, int sliceMs);
    }

    public static ObjectRefPoller shared() {
        return SHARED;
    }

    /** For calls that stay unanswered for long, such as a poll that its receiver holds: short calls are not held up by them. */
    public static ObjectRefPoller forLongCalls() {
        return FOR_LONG_CALLS;
    }

    /** For calls that are unanswered for as long as nothing happens, of which there may be one for each engine. */
    public static ObjectRefPoller forWatches() {
        return FOR_WATCHES;
    }

    /**
     * Stops waiting for answers; to be called before {@code Ray.shutdown()}, which crashes the process natively while
     * another thread waits in Ray. Unanswered calls fail. An interrupt keeps its flag. Calls made later wait again.
     */
    public static void stopWaiting() {
        try {
            SHARED.stop(STOP);
            FOR_LONG_CALLS.stop(STOP);
            FOR_WATCHES.stop(STOP);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The future completes on the waiter's thread: what is chained on it must not block. */
    public <T> CompletableFuture<T> watch(ObjectRef<T> ref) {
        Pending<T> pending = new Pending<>(ref, new CompletableFuture<>());
        lock.lock();
        try {
            incoming.add(pending);
            arrived.signal();
            if (thread == null) {
                Thread started = Threads.thread("sglang-ray-waiter", this::run);
                thread = started;
                started.start();
            }
        } finally {
            lock.unlock();
        }
        return pending.future();
    }

    /**
     * Ends the thread, and with it every wait: Ray's native half crashes the process when it is shut down under a
     * waiter. What is still unanswered fails. Later calls start a new thread.
     */
    void stop(Duration atMost) throws InterruptedException {
        Thread running;
        lock.lock();
        try {
            running = thread;
            stopping = running != null;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
        if (running != null) {
            running.join(atMost.toMillis());
        }
    }

    /** Whether there is a thread that may be inside Ray. */
    boolean isWaiting() {
        lock.lock();
        try {
            return thread != null;
        } finally {
            lock.unlock();
        }
    }

    private void run() {
        List<Pending<?>> pending = new ArrayList<>();
        int slice = FIRST_SLICE_MS;
        while (takeIncoming(pending)) {
            int before = pending.size();
            try {
                finishReady(pending, slice);
            } catch (Throwable e) {
                LOG.debug("Waiting for Ray failed: {}", e.toString());
                failWhatFails(pending, e);
            }
            slice = pending.size() < before ? FIRST_SLICE_MS : Math.min(longestSliceMs, slice * 2);
        }
        IllegalStateException ended = new IllegalStateException("the connection to Ray is being closed");
        pending.forEach(p -> p.future().completeExceptionally(ended));
    }

    /**
     * One reference whose wait fails must not fail the others. Where Ray itself is gone every wait fails, and no call will ever
     * answer any of them.
     */
    private void failWhatFails(List<Pending<?>> pending, Throwable together) {
        if (!Ray.isInitialized()) {
            pending.forEach(p -> p.future().completeExceptionally(together));
            pending.clear();
            return;
        }
        for (Pending<?> one : List.copyOf(pending)) {
            try {
                List<Pending<?>> alone = new ArrayList<>(List.of(one));
                finishReady(alone, 0);
                if (alone.isEmpty()) {
                    pending.remove(one);
                }
            } catch (Throwable e) {
                pending.remove(one);
                one.future().completeExceptionally(e);
            }
        }
    }

    /** Moves what arrived; waits while there is nothing at all; false when the thread should end. */
    private boolean takeIncoming(List<Pending<?>> pending) {
        lock.lock();
        try {
            while (!stopping && pending.isEmpty() && incoming.isEmpty()) {
                if (!arrived.await(IDLE_SECONDS, TimeUnit.SECONDS) && incoming.isEmpty()) {
                    thread = null;
                    return false;
                }
            }
            pending.addAll(incoming);
            incoming.clear();
            if (stopping) {
                stopping = false;
                thread = null;
                return false;
            }
            return true;
        } catch (InterruptedException e) {
            thread = null;
            return false;
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("unchecked")
    private void finishReady(List<Pending<?>> pending, int sliceMs) {
        Map<ObjectRef<?>, Pending<?>> byRef = new HashMap<>();
        List<ObjectRef<Object>> refs = new ArrayList<>();
        for (Pending<?> p : pending) {
            byRef.put(p.ref(), p);
            refs.add((ObjectRef<Object>) p.ref());
        }
        List<ObjectRef<Object>> ready = ray.ready(refs, 1, sliceMs);
        if (!ready.isEmpty() && refs.size() > 1) {
            // Ray gives no more than it is asked for, and looks at all each time: one by one, the answers of a large
            // group would
            // cost the square of its size.
            ready = ray.ready(refs, refs.size(), 0);
        }
        List<Pending<?>> finished = new ArrayList<>();
        for (ObjectRef<Object> ref : ready) {
            Pending<?> p = byRef.get(ref);
            if (p != null) {
                finished.add(p);
            }
        }
        Set<Pending<?>> gone = Collections.newSetFromMap(new IdentityHashMap<>());
        gone.addAll(finished);
        pending.removeIf(gone::contains);
        finished.forEach(Pending::finish);
    }
}
