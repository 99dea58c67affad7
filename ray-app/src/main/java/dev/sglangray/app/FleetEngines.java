/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.NodeSnapshot;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engines of a running fleet: which there are, where each lives, and how that changes. One change at a time; safe for use
 * by several threads.
 */
final class FleetEngines implements NodeLossWatch.Engines {
    private static final Logger LOG = LoggerFactory.getLogger(FleetEngines.class);
    private static final Duration ANSWER = Duration.ofSeconds(20);
    /** For what is of use only to those that answer. */
    private static final Duration A_MOMENT = Duration.ofSeconds(5);

    private static final Duration LOOK = Duration.ofMillis(100);
    /** What is free is known before it is asked for, so Ray gives it at once, or somebody else was quicker. */
    private static final Duration SOON = Duration.ofSeconds(30);

    private final EngineBuilder builder;
    private final Berths berths;
    private final ReentrantLock changing = new ReentrantLock();
    /** What the router knows each engine by. */
    private final Map<Integer, String> urls = new HashMap<>();

    private volatile ServerGroup servers;
    private volatile @Nullable Thread changer;
    private volatile boolean launched;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Runnable changed = () -> {};
    private int wanted;

    /** Those of a launch. */
    FleetEngines(EngineBuilder builder, FleetPlan plan, FleetReservation launch, ServerGroup servers) {
        this.builder = builder;
        this.servers = servers;
        this.berths = new Berths(plan.engines(), launch);
        this.wanted = plan.engines().size();
    }

    /** What is to be run within a change, once the engines are others. */
    void whenChanged(Runnable toRun) {
        changed = toRun;
    }

    /** All serve: from now on there may be changes. */
    void launched() {
        learnUrls(servers.ranks());
        launched = true;
    }

    /** The engines as they are now. */
    ServerGroup servers() {
        return servers;
    }

    /** Where each engine lives, by rank. */
    @Override
    public List<Berth> where() {
        return berths.taken();
    }

    /** The ranks that should have an engine and have no worker: an engine that was to start elsewhere did not. */
    @Override
    public List<Integer> missing() {
        int lacking = wanted - berths.ranks().size();
        return lacking > 0 ? berths.freeRanks(lacking) : List.of();
    }

    /** Gives the fleet so many engines; see {@link Fleet#scale(int, Duration, LaunchListener)}. */
    ScaleReport scale(int engines, Duration toDrain, LaunchListener listener) {
        if (engines < 1) {
            throw new IllegalArgumentException(
                    "a fleet has 1 engine or more, not " + engines + "; to have none, end it");
        }
        return change(() -> {
            int before = servers.size();
            ScaleReport report = new ScaleReport(before, before, List.of(), List.of(), 0);
            if (engines > before) {
                report = grow(engines - before, new SerialListener(listener));
            } else if (engines < before) {
                report = shrink(before - engines, toDrain, new SerialListener(listener));
            }
            wanted = engines;
            if (report.after() != before) {
                builder.remark("the fleet has " + report.after() + " engine(s) instead of " + before);
                tell();
            }
            return report;
        });
    }

    /** What can be done to the engines, one at a time. */
    private interface Change<T> {
        T run();
    }

    private <T> T change(Change<T> task) {
        if (!changing.tryLock()) {
            throw new LaunchException("the fleet's engines are being changed already; wait until that is done");
        }
        try {
            if (isClosed() || !launched) {
                throw new LaunchException(isClosed() ? "the fleet has ended" : "the fleet is being launched");
            }
            changer = Thread.currentThread();
            return task.run();
        } finally {
            changer = null;
            changing.unlock();
        }
    }

    private ScaleReport grow(int count, LaunchListener listener) {
        int before = servers.size();
        List<Integer> ranks = berths.freeRanks(count);
        add(ranks, before + count, builder.reserveDeadline(), listener);
        return new ScaleReport(before, servers.size(), ranks, List.of(), 0);
    }

    /** All of these engines, or none. */
    private void add(List<Integer> ranks, int worldSize, Duration toReserve, LaunchListener listener) {
        List<Berth> found = new ArrayList<>();
        boolean done = false;
        try {
            settle(ranks, worldSize, toReserve, listener, found);
            move(servers, found, listener);
            done = true;
        } finally {
            if (!done) {
                Uninterrupted.run(() -> berths.giveBack(found));
            }
        }
    }

    /** Finds berths for these ranks: first those that the fleet still has, on nodes that are there. */
    private void settle(
            List<Integer> ranks, int worldSize, Duration toReserve, LaunchListener listener, List<Berth> found) {
        for (Berth berth : berths.takeIdle(ranks.size(), living())) {
            found.add(berth.forRank(ranks.get(found.size()), worldSize));
        }
        if (!found.isEmpty()) {
            listener.note(LaunchPhase.PLAN, found.size() + " engine(s) go into bundles that the fleet still has");
        }
        List<Integer> further = ranks.subList(found.size(), ranks.size());
        if (!further.isEmpty()) {
            found.addAll(builder.reserve(further, worldSize, berths, toReserve, listener));
        }
    }

    private void move(ServerGroup group, List<Berth> found, LaunchListener listener) {
        ServerGroup grown = builder.start(group, found, listener);
        List<Integer> ranks = found.stream().map(berth -> berth.engine().rank()).toList();
        if (isClosed()) {
            builder.end(grown, ranks);
            throw new LaunchException("the fleet was ended meanwhile");
        }
        servers = grown;
        berths.put(found);
        learnUrls(ranks);
    }

    private ScaleReport shrink(int count, Duration toDrain, LaunchListener listener) {
        int before = servers.size();
        List<Integer> all = berths.ranks();
        List<Integer> ranks = all.subList(all.size() - count, all.size());
        int cut;
        try (Step step = Step.begin(
                listener, LaunchPhase.DRAIN, "keeping new requests from engine(s) " + ranks + ", whose requests end")) {
            cut = drain(servers, ranks, toDrain);
            if (cut > 0) {
                step.note(cut + " request(s) have not ended after " + toDrain.toSeconds() + " s; they end now");
            }
        }
        try (Step step = Step.begin(listener, LaunchPhase.STOP, "ending engine(s) " + ranks)) {
            ServerGroup old = servers;
            builder.end(old, ranks);
            servers = old.without(ranks, builder.groupOptions());
            berths.leave(ranks);
            step.note("ended");
        }
        return new ScaleReport(before, before - count, List.of(), ranks, cut);
    }

    /** How many requests are left; an interrupt lets the engines go on. */
    private static int drain(ServerGroup servers, List<Integer> ranks, Duration toDrain) {
        List<CompletableFuture<List<Integer>>> left = new ArrayList<>();
        for (int rank : ranks) {
            // One that is lost has none.
            left.add(servers.on(rank).drain(toDrain).toCompletableFuture().exceptionally(failure -> List.of(0)));
        }
        try {
            EngineStart.await(List.copyOf(left), List.of(), toDrain.plus(ANSWER), "without requests");
        } catch (LaunchException e) {
            Uninterrupted.run(() -> ranks.forEach(rank -> servers.on(rank).undrain(ANSWER)));
            throw e;
        }
        return left.stream()
                .mapToInt(future -> Math.max(0, future.join().get(0)))
                .sum();
    }

    /**
     * Lets an engine whose node is gone start elsewhere, or one that {@linkplain #missing() is missing}.
     *
     * @return the address of its node now
     * @throws dev.sglangray.placement.PlacementException when there is no room; nothing was changed
     * @throws LaunchException when another change is under way, or as below
     * @throws WorkerException when it did not start there; it is missing then
     */
    @Override
    public String replan(int rank, LaunchListener listener) {
        return change(() -> {
            List<Berth> found = new ArrayList<>();
            boolean done = false;
            try {
                settle(List.of(rank), wanted, SOON, listener, found);
                ServerGroup others = servers;
                if (others.ranks().contains(rank)) {
                    abandon(others.on(rank));
                    others = others.without(List.of(rank), builder.groupOptions());
                    servers = others;
                    berths.leave(List.of(rank));
                    Optional.ofNullable(urls.remove(rank)).ifPresent(builder::forget);
                }
                move(others, found, listener);
                tell();
                done = true;
                return found.get(0).nodeIp();
            } finally {
                if (!done) {
                    Uninterrupted.run(() -> berths.giveBack(found));
                }
            }
        });
    }

    private void abandon(ServerGroup engine) {
        engine.abandon();
        long end = System.nanoTime() + ANSWER.toNanos();
        while (engine.isNamed()) {
            if (System.nanoTime() - end > 0) {
                throw new LaunchException("Ray still has the worker of the lost engine, " + engine);
            }
            try {
                if (closed.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new LaunchException("the fleet was ended meanwhile");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new LaunchException("interrupted", e);
            }
        }
    }

    private boolean isClosed() {
        return closed.getCount() == 0;
    }

    private void learnUrls(List<Integer> ranks) {
        try {
            List<String> found = servers.on(
                            ranks.stream().mapToInt(Integer::intValue).toArray())
                    .getServerUrl()
                    .await(ANSWER);
            for (int i = 0; i < found.size(); i++) {
                urls.put(ranks.get(i), found.get(i));
            }
        } catch (WorkerException e) {
            LOG.debug("engines {} did not tell their URLs", ranks, e);
        }
    }

    /** Tells the workers how many they are, and whoever attaches where. */
    private void tell() {
        try {
            var unused = servers.resize(wanted).await(A_MOMENT);
        } catch (WorkerException e) {
            LOG.debug("not all engines were told that there are {}", wanted, e);
        }
        changed.run();
    }

    /** The addresses of the nodes that are there. */
    static Set<String> living() {
        return RayClusterReader.readWithoutVariables().nodes().stream()
                .map(NodeSnapshot::ip)
                .collect(Collectors.toSet());
    }

    /** Ends a change that is under way, which takes back what it had started, and lets none begin; waits for that. */
    void close() {
        closed.countDown();
        Optional.ofNullable(changer).ifPresent(Thread::interrupt);
        changing.lock();
        try {
            changed = () -> {};
        } finally {
            changing.unlock();
        }
    }

    /** What was reserved since the launch. */
    List<FleetReservation> further() {
        return berths.further();
    }

    /** Keeps with the events what becomes of the fleet. */
    @Override
    public void remark(String text) {
        builder.remark(text);
    }
}
