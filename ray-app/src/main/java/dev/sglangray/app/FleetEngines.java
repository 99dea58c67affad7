/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.EngineProvisioner.Started;
import dev.sglangray.app.EngineProvisioner.Wanted;
import dev.sglangray.app.LostNodeReplanner.Moved;
import dev.sglangray.app.gateway.EngineAccess;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.protocol.FleetWeights;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engines of a running fleet: which there are, where each lives, and how that changes. One change at a time; safe for use
 * by several threads.
 */
final class FleetEngines implements LostNodeReplanner.Engines, EngineAccess {
    private static final Logger LOG = LoggerFactory.getLogger(FleetEngines.class);
    private static final Duration ANSWER = Duration.ofSeconds(20);
    /** A drain whose owner dies ends by itself, so long after its time. */
    private static final Duration DRAIN_LEASE = Duration.ofMinutes(2);
    /** For what is of use only to those that answer. */
    private static final Duration A_MOMENT = Duration.ofSeconds(5);

    private static final Duration LOOK = Duration.ofMillis(100);
    /** Longer than the end of engines takes. */
    private static final Duration ROLLBACK = Duration.ofMinutes(1);

    private static final String ENDED = "the fleet was ended meanwhile";
    /** What is free is known before it is asked for, so Ray gives it at once, or another program was quicker. */
    private static final Duration SOON = Duration.ofSeconds(30);

    private final EngineProvisioner builder;
    private final EngineSlots slots;
    private final ReentrantLock changing = new ReentrantLock();

    private volatile ServerGroup servers;
    private volatile boolean launched;
    /** Fails when the fleet is ended, and with it every wait of a change. */
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    private volatile Runnable changed = () -> {};

    /** Guarded by {@link #changing}. */
    private int wanted;

    /** Those of a launch. */
    FleetEngines(EngineProvisioner builder, FleetPlan plan, FleetReservation launch, ServerGroup servers) {
        this.builder = builder;
        this.servers = servers;
        this.slots = new EngineSlots(plan.engines(), launch);
        this.wanted = plan.engines().size();
    }

    /** Those of a fleet that is taken over. */
    FleetEngines(EngineProvisioner builder, EngineSlots slots, ServerGroup servers, int wanted) {
        this.builder = builder;
        this.servers = servers;
        this.slots = slots;
        this.wanted = wanted;
    }

    /** The fleet as it is, for a successor; called within a change, or before there are any. */
    FleetState state(FleetPlan launch) {
        return builder.state(launch, wanted, slots.seats());
    }

    /** All serve: from now on there may be changes; {@code onChange} is run within each, once the engines are others. */
    void launched(Runnable onChange) {
        changed = onChange;
        launched = true;
    }

    @Override
    public ServerGroup servers() {
        return servers;
    }

    /** Where each engine lives, by rank. */
    @Override
    public List<EngineSlot> where() {
        return slots.taken();
    }

    /** The ranks that should have an engine and have no worker; none while a change is under way. */
    @Override
    public List<Integer> missing() {
        if (!changing.tryLock()) {
            return List.of();
        }
        try {
            return missingNow();
        } finally {
            changing.unlock();
        }
    }

    private List<Integer> missingNow() {
        int lacking = wanted - slots.ranks().size();
        return lacking > 0 ? slots.freeRanks(lacking) : List.of();
    }

    @Override
    public ScaleReport scale(int engines, Duration toDrain) {
        try {
            return scale(engines, toDrain, LaunchListener.NONE);
        } catch (LaunchException | PlacementException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** Gives the fleet so many engines; see {@link Fleet#scale(int, Duration, LaunchListener)}. */
    ScaleReport scale(int engines, Duration toDrain, LaunchListener listener) {
        if (engines < 1) {
            throw new IllegalArgumentException(
                    "a fleet has 1 engine or more, not " + engines + "; to have none, end it");
        }
        Duration timeout = toDrain.plus(builder.longestStart());
        return change("a change to " + engines + " engine(s)", timeout, () -> {
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

    private <T> T change(String kind, Duration timeout, Change<T> task) {
        if (!changing.tryLock()) {
            throw new LaunchException("the fleet's engines are being changed already; wait until that is done");
        }
        try {
            if (isClosed() || !launched) {
                throw new LaunchException(isClosed() ? "the fleet has ended" : "the fleet is being launched");
            }
            String token = FleetWeights.newId();
            builder.beginChange(kind, token, timeout);
            try {
                return task.run();
            } finally {
                builder.endChange(token);
            }
        } finally {
            changing.unlock();
        }
    }

    private ScaleReport grow(int count, LaunchListener listener) {
        int before = servers.size();
        List<Integer> ranks = slots.freeRanks(count);
        add(ranks, before + count, builder.reserveDeadline(), listener);
        return new ScaleReport(before, servers.size(), ranks, List.of(), 0);
    }

    /** All of these engines, or none. */
    private void add(List<Integer> ranks, int worldSize, Duration toReserve, LaunchListener listener) {
        List<EngineSlot> found = new ArrayList<>();
        boolean done = false;
        try {
            settle(ranks, Wanted.ALL, worldSize, toReserve, listener, found);
            ServerGroup grown = builder.start(servers, found, listener, ended);
            moveIn(grown, found);
            done = true;
        } finally {
            if (!done) {
                Uninterrupted.run(() -> slots.giveBack(found));
            }
        }
    }

    /** Finds slots for these ranks, or for the first of them: first those that the fleet still has, on living nodes. */
    private void settle(
            List<Integer> ranks,
            Wanted wantedRanks,
            int worldSize,
            Duration toReserve,
            LaunchListener listener,
            List<EngineSlot> found) {
        for (EngineSlot slot : slots.takeIdle(ranks.size(), RayClusterReader.livingAddresses())) {
            found.add(slot.forRank(ranks.get(found.size()), worldSize));
        }
        if (!found.isEmpty()) {
            listener.note(LaunchPhase.PLAN, found.size() + " engine(s) go into bundles that the fleet still has");
        }
        List<Integer> further = ranks.subList(found.size(), ranks.size());
        if (further.isEmpty()) {
            return;
        }
        try {
            found.addAll(builder.reserve(further, wantedRanks, worldSize, slots, toReserve, listener, this::isClosed));
        } catch (PlacementException e) {
            if (wantedRanks == Wanted.ALL || found.isEmpty()) {
                throw e;
            }
            LOG.debug("no room for {}", further, e);
        }
    }

    private void moveIn(ServerGroup grown, List<EngineSlot> found) {
        List<Integer> ranks = found.stream().map(slot -> slot.engine().rank()).toList();
        if (isClosed()) {
            builder.end(grown, ranks);
            throw new LaunchException(ENDED);
        }
        servers = grown;
        slots.put(found);
    }

    private ScaleReport shrink(int count, Duration toDrain, LaunchListener listener) {
        int before = servers.size();
        List<Integer> all = slots.ranks();
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
            servers = old.without(ranks);
            slots.leave(ranks);
            step.note("ended");
        }
        return new ScaleReport(before, before - count, List.of(), ranks, cut);
    }

    /** How many requests are left; an interrupt lets the engines go on. */
    private int drain(ServerGroup servers, List<Integer> ranks, Duration toDrain) {
        List<CompletableFuture<List<Integer>>> left = new ArrayList<>();
        for (int rank : ranks) {
            // One that is lost has none.
            left.add(servers.on(rank)
                    .drain(toDrain, toDrain.plus(DRAIN_LEASE))
                    .toCompletableFuture()
                    .exceptionally(failure -> List.of(0)));
        }
        try {
            EngineStarter.await(List.copyOf(left), List.of(ended), toDrain.plus(ANSWER), "without requests");
        } catch (LaunchException e) {
            Uninterrupted.run(() -> ranks.forEach(rank -> servers.on(rank).undrain(ANSWER)));
            throw e;
        }
        return left.stream()
                .mapToInt(future -> Math.max(0, future.join().get(0)))
                .sum();
    }

    /**
     * Lets engines whose node is gone start elsewhere, or those that {@linkplain #missing() are missing}: as many as there is
     * room for, all at the same time. One whose node has returned stays there.
     *
     * @throws LaunchException when another change is under way, or the fleet ends
     */
    @Override
    public Moved replan(List<Integer> ranks, LaunchListener listener) {
        return change("a move of engines " + ranks, builder.longestStart(), () -> {
            List<Integer> out = out(ranks);
            List<EngineSlot> found = new ArrayList<>();
            boolean done = false;
            try {
                if (!out.isEmpty()) {
                    settle(out, Wanted.WHAT_FITS, wanted, SOON, listener, found);
                }
                Moved moved = move(out, found, listener);
                done = true;
                return moved;
            } catch (PlacementException e) {
                LOG.debug("no room for engines {}", out, e);
                return new Moved(Map.of(), Map.of(), out);
            } finally {
                if (!done) {
                    Uninterrupted.run(() -> slots.giveBack(found));
                }
            }
        });
    }

    /** Which of these have no worker, or are on a node that is gone at this moment. */
    private List<Integer> out(List<Integer> ranks) {
        List<Integer> missing = missingNow();
        List<Integer> known = slots.ranks();
        return slots.out(
                ranks.stream()
                        .filter(rank -> known.contains(rank) || missing.contains(rank))
                        .toList(),
                RayClusterReader.livingAddresses());
    }

    private Moved move(List<Integer> ranks, List<EngineSlot> found, LaunchListener listener) {
        // To reserve takes a while: a node that returned meanwhile keeps its engines.
        List<Integer> out = out(ranks);
        List<EngineSlot> needless = found.stream()
                .filter(slot -> !out.contains(slot.engine().rank()))
                .toList();
        found.removeAll(needless);
        slots.giveBack(needless);
        if (found.isEmpty()) {
            return new Moved(Map.of(), Map.of(), out);
        }
        List<Integer> moving = found.stream().map(slot -> slot.engine().rank()).toList();
        ServerGroup others = abandon(moving);
        Started started = builder.startEach(others, found, listener, ended);
        List<EngineSlot> failed = found.stream()
                .filter(slot -> started.failed().containsKey(slot.engine().rank()))
                .toList();
        found.removeAll(failed);
        slots.giveBack(failed);
        moveIn(started.group(), found);
        tell();
        Map<Integer, String> nodes = new TreeMap<>();
        found.forEach(slot -> nodes.put(slot.engine().rank(), slot.nodes()));
        return new Moved(
                nodes,
                started.failed(),
                out.stream().filter(rank -> !moving.contains(rank)).toList());
    }

    /** Gives engines of lost nodes up; the others. */
    private ServerGroup abandon(List<Integer> moving) {
        ServerGroup others = servers;
        List<Integer> lost = moving.stream().filter(others.ranks()::contains).toList();
        if (!lost.isEmpty()) {
            List<String> keys = others.on(
                            lost.stream().mapToInt(Integer::intValue).toArray())
                    .keys();
            abandon(others.on(lost.stream().mapToInt(Integer::intValue).toArray()));
            others = others.without(lost);
            servers = others;
            slots.leave(lost);
            builder.retire(keys);
        }
        return others;
    }

    private void abandon(ServerGroup engines) {
        engines.abandon();
        long end = System.nanoTime() + ANSWER.toNanos();
        CompletableFuture<Void> never = new CompletableFuture<>();
        while (engines.isAnyNamed()) {
            if (System.nanoTime() - end > 0) {
                throw new LaunchException("Ray still has the workers of the lost engines, " + engines);
            }
            // Ends at once, with its words, when the fleet is ended.
            EngineStarter.awaitEach(List.of(never), ended, LOOK);
        }
    }

    private boolean isClosed() {
        return ended.isDone();
    }

    /** Tells the workers how many they are, and programs that attach where. */
    private void tell() {
        try {
            var unused = servers.resize(wanted).await(A_MOMENT);
        } catch (WorkerException e) {
            LOG.debug("not all engines know yet that there are {}", wanted, e);
        }
        changed.run();
    }

    /**
     * Cancels a change that is under way, which takes back what it had started, and lets none begin. Waits for that, but not for
     * ever: then the caller ends what the change still has.
     */
    void close() {
        ended.completeExceptionally(new LaunchException(ENDED));
        changed = () -> {};
        try {
            if (changing.tryLock(ROLLBACK.toSeconds(), TimeUnit.SECONDS)) {
                changing.unlock();
            } else {
                LOG.warn("a change of the engines has not ended within {} s", ROLLBACK.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What was reserved since the launch. */
    List<FleetReservation> further() {
        return slots.further();
    }

    /** Keeps with the events what becomes of the fleet. */
    @Override
    public void remark(String text) {
        builder.remark(text);
    }
}
