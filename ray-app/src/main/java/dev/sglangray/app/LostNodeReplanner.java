/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.config.thread.Threads;
import dev.sglangray.placement.ray.RayClusterReader;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
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
final class LostNodeReplanner implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LostNodeReplanner.class);
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
    private String problem = "";

    /**
     * Does nothing before {@link #start()}.
     *
     * @param patience how long a node is gone until its engines move
     * @param listener receives what happens, from the watch's thread
     */
    LostNodeReplanner(FleetEngines engines, Duration patience, LaunchListener listener) {
        this(engines, patience, listener, RayClusterReader::livingAddresses, System::nanoTime);
    }

    LostNodeReplanner(
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
        List<EngineSlot> where();

        List<Integer> missing();

        Moved replan(List<Integer> ranks, LaunchListener listener);

        void remark(String text);
    }

    /**
     * What came of engines that were to move; those that are in none of these stayed, as their node had returned.
     *
     * @param nodes the new node's address by rank
     * @param failed why an engine did not start elsewhere, by rank; it is missing then
     * @param noRoom the ranks for which there was no room
     */
    record Moved(Map<Integer, String> nodes, Map<Integer, RuntimeException> failed, List<Integer> noRoom) {
        Moved {
            nodes = Map.copyOf(nodes);
            failed = Map.copyOf(failed);
            noRoom = List.copyOf(noRoom);
        }
    }

    /** When an engine was last tried to be moved, and how often it did not start. */
    private record Tried(long at, int failures) {
        boolean isLongAgo(long now) {
            return now - at >= AGAIN.toNanos() << Math.min(failures, MOST_DOUBLINGS);
        }
    }

    void start() {
        Thread unused = Threads.start("sglang-ray-node-loss", this::run);
    }

    private void run() {
        try {
            // A driver that leaves Ray without closing its fleet leaves the watch too.
            while (!ended.await(LOOK.toMillis(), TimeUnit.MILLISECONDS) && Ray.isInitialized()) {
                lookSafely();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** One look. A failure does not end the watch: the watch reports it once, and the next look tries again. */
    void lookSafely() {
        try {
            look();
            problem = "";
        } catch (RuntimeException | Error failure) {
            LOG.warn("the nodes of the fleet cannot be looked after at the moment", failure);
            String text = "the nodes of the fleet cannot be looked after at the moment: " + failure;
            if (!text.equals(problem)) {
                problem = text;
                remark(text);
            }
        }
    }

    private void remark(String text) {
        try {
            engines.remark(text);
        } catch (RuntimeException e) {
            LOG.warn("{}", text, e);
        }
    }

    /** One look. */
    void look() {
        Set<String> there = living.get();
        long now = nanoTime.getAsLong();
        goneSince.keySet().removeAll(there);
        Map<Integer, String> due = new TreeMap<>();
        for (EngineSlot slot : engines.where()) {
            int rank = slot.engine().rank();
            if (slot.isOn(there)) {
                if (waiting.remove(rank)) {
                    say("node " + slot.nodes() + " is back, and with it engine " + rank);
                }
                tried.remove(rank);
                continue;
            }
            // An engine over several nodes is lost with any of them.
            for (String node : slot.engine().nodeIps()) {
                if (!there.contains(node) && now - goneSince.computeIfAbsent(node, ip -> now) >= patience.toNanos()) {
                    due.putIfAbsent(rank, "node " + node + " is gone");
                }
            }
        }
        engines.missing().forEach(rank -> due.put(rank, "engine " + rank + " is missing"));
        due.keySet()
                .removeIf(rank -> tried.containsKey(rank) && !tried.get(rank).isLongAgo(now));
        if (!due.isEmpty()) {
            move(due);
        }
    }

    /** All at the same time, as each takes an engine's start. */
    private void move(Map<Integer, String> due) {
        Moved moved;
        try {
            moved = engines.replan(List.copyOf(due.keySet()), listener);
        } catch (LaunchException e) {
            LOG.debug("engines {} cannot move now", due.keySet(), e);
            return;
        }
        due.forEach((rank, why) -> {
            String node = moved.nodes().get(rank);
            RuntimeException failure = moved.failed().get(rank);
            if (node != null) {
                waiting.remove(rank);
                tried.remove(rank);
                say(why + ": engine " + rank + " serves on " + node + " instead");
            } else if (failure != null) {
                say(why + ", and engine " + rank + " did not start elsewhere: " + failure.getMessage());
                later(rank, 1);
            } else if (moved.noRoom().contains(rank)) {
                if (waiting.add(rank)) {
                    say(why + ", and there is no room for engine " + rank
                            + " elsewhere: the fleet runs without it until there is room or the node returns");
                }
                later(rank, 0);
            }
        });
    }

    private void later(int rank, int failures) {
        Tried last = tried.get(rank);
        tried.put(rank, new Tried(nanoTime.getAsLong(), failures + (last == null ? 0 : last.failures())));
    }

    private void say(String text) {
        try {
            listener.note(LaunchPhase.START, text);
        } catch (RuntimeException e) {
            LOG.warn("a listener failed at: {}", text, e);
        }
        remark(text);
    }

    /** Looks no more. The engines' own close cancels a move that is under way. */
    @Override
    public void close() {
        ended.countDown();
    }
}
