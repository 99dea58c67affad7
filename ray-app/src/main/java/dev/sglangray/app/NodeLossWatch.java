/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.workers.WorkerException;
import io.ray.api.Ray;
import io.ray.api.exception.RayException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets engines whose node is gone start elsewhere, where there is room; else they wait for their node, where Ray starts their
 * workers again. Runs on a thread of its own from {@link #start()} to {@link #close()}.
 */
final class NodeLossWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NodeLossWatch.class);
    private static final Duration LOOK = Duration.ofSeconds(2);
    /** From one attempt to move an engine to the next; doubled with each one that did not start. */
    static final Duration AGAIN = Duration.ofSeconds(15);

    private static final int MOST_DOUBLINGS = 6;

    private final Engines engines;
    private final Duration patience;
    private final LaunchListener listener;
    private final Supplier<Set<String>> living;
    private final LongSupplier nanoTime;
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Map<String, Long> goneSince = new HashMap<>();
    private final Map<Integer, Tried> tried = new HashMap<>();
    private final Set<Integer> waiting = new HashSet<>();

    /**
     * Does nothing before {@link #start()}.
     *
     * @param patience how long a node is gone until its engines move
     * @param listener is told what happens, from the watch's thread
     */
    NodeLossWatch(FleetEngines engines, Duration patience, LaunchListener listener) {
        this(engines, patience, listener, FleetEngines::living, System::nanoTime);
    }

    NodeLossWatch(
            Engines engines,
            Duration patience,
            LaunchListener listener,
            Supplier<Set<String>> living,
            LongSupplier nanoTime) {
        this.engines = engines;
        this.patience = patience;
        this.listener = listener;
        this.living = living;
        this.nanoTime = nanoTime;
    }

    /** What it does with engines; {@link FleetEngines} has the words. */
    interface Engines {
        List<Berth> where();

        List<Integer> missing();

        String replan(int rank, LaunchListener listener);

        void remark(String text);
    }

    /** When an engine was last tried to be moved, and how often it did not start. */
    private record Tried(long at, int failures) {
        boolean isLongAgo(long now) {
            return now - at >= AGAIN.toNanos() << Math.min(failures, MOST_DOUBLINGS);
        }
    }

    void start() {
        Thread thread = new Thread(this::run, "sglang-ray-node-loss");
        thread.setDaemon(true);
        thread.setContextClassLoader(NodeLossWatch.class.getClassLoader());
        thread.start();
    }

    private void run() {
        try {
            // A driver that leaves Ray without closing its fleet leaves the watch too.
            while (!ended.await(LOOK.toMillis(), TimeUnit.MILLISECONDS) && Ray.isInitialized()) {
                try {
                    look();
                } catch (RayException | IllegalStateException e) {
                    LOG.debug("the nodes cannot be looked at", e);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One look. */
    void look() {
        Set<String> there = living.get();
        long now = nanoTime.getAsLong();
        goneSince.keySet().removeAll(there);
        for (Berth berth : engines.where()) {
            String node = berth.nodeIp();
            int rank = berth.engine().rank();
            if (there.contains(node)) {
                if (waiting.remove(rank)) {
                    say("node " + node + " is back, and with it engine " + rank);
                }
                tried.remove(rank);
            } else if (now - goneSince.computeIfAbsent(node, ip -> now) >= patience.toNanos()) {
                attempt(rank, "node " + node + " is gone");
            }
        }
        for (int rank : engines.missing()) {
            attempt(rank, "engine " + rank + " is missing");
        }
    }

    private void attempt(int rank, String why) {
        Tried last = tried.get(rank);
        if (last != null && !last.isLongAgo(nanoTime.getAsLong())) {
            return;
        }
        int failures = last == null ? 0 : last.failures();
        try {
            String node = engines.replan(rank, listener);
            waiting.remove(rank);
            tried.remove(rank);
            say(why + ": engine " + rank + " serves on " + node + " instead");
        } catch (PlacementException e) {
            if (waiting.add(rank)) {
                say(why + ", and there is no room for engine " + rank
                        + " elsewhere: the fleet goes on without it until there" + " is, or the node returns");
            }
            tried.put(rank, new Tried(nanoTime.getAsLong(), failures));
            LOG.debug("no room for engine {}", rank, e);
        } catch (WorkerException e) {
            say(why + ", and engine " + rank + " did not start elsewhere: " + e.getMessage());
            tried.put(rank, new Tried(nanoTime.getAsLong(), failures + 1));
        } catch (LaunchException e) {
            LOG.debug("engine {} cannot move now", rank, e);
        }
    }

    private void say(String text) {
        listener.note(LaunchPhase.START, text);
        engines.remark(text);
    }

    /** Looks no more. A move that is under way is ended by the engines' own close. */
    @Override
    public void close() {
        ended.countDown();
    }
}
