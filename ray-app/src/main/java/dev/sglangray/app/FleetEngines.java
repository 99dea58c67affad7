/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.EngineProvisioner.Started;
import dev.sglangray.app.EngineProvisioner.Wanted;
import dev.sglangray.app.LostNodeReplanner.Moved;
import dev.sglangray.app.autoscaling.PoolChange;
import dev.sglangray.app.autoscaling.PoolSizes;
import dev.sglangray.app.gateway.EngineAccess;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.protocol.FleetWeights;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engines of a running fleet: which there are, where each lives, and how that changes. One change at a time; safe for use
 * by several threads.
 */
final class FleetEngines implements LostNodeReplanner.Engines, EngineAccess, PoolSizes {
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

    /** How many engines each pool is to have, in the pools' order; never changed, but replaced within {@link #changing}. */
    private volatile Map<String, Integer> wanted;

    private volatile LaunchListener phases = LaunchListener.NONE;
    private volatile ScaleObserver scales = (pool, up, done) -> {};

    /** Receives what became of each change of a pool's size. */
    interface ScaleObserver {
        void scaled(String pool, boolean up, boolean done);
    }

    /** Those of a launch. */
    FleetEngines(EngineProvisioner builder, FleetPlan plan, FleetReservation launch, ServerGroup servers) {
        this.builder = builder;
        this.servers = servers;
        this.slots = new EngineSlots(plan.engines(), launch);
        this.wanted = perPool(plan.engines());
    }

    /** Those of a fleet that is taken over. */
    FleetEngines(EngineProvisioner builder, EngineSlots slots, ServerGroup servers, Map<String, Integer> wanted) {
        this.builder = builder;
        this.servers = servers;
        this.slots = slots;
        this.wanted = wanted;
    }

    /** How many engines each pool has, in the pools' order. */
    static Map<String, Integer> perPool(List<EnginePlan> engines) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        engines.forEach(engine -> counts.merge(engine.pool(), 1, Integer::sum));
        return counts;
    }

    /** How many engines each pool is to have. */
    Map<String, Integer> wanted() {
        return Collections.unmodifiableMap(wanted);
    }

    /** Has the steps of changes, and what becomes of them, seen by others too. */
    void observe(LaunchListener steps, ScaleObserver changes) {
        phases = steps;
        scales = changes;
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
        return List.copyOf(missingPools().keySet());
    }

    /** The pool of each rank that should have an engine and has no worker. */
    private Map<Integer, String> missingPools() {
        List<String> lacking = new ArrayList<>();
        wanted.forEach((pool, engines) -> lacking.addAll(
                Collections.nCopies(Math.max(0, engines - slots.ranks(pool).size()), pool)));
        List<Integer> free = slots.freeRanks(lacking.size());
        Map<Integer, String> missing = new TreeMap<>();
        for (int i = 0; i < lacking.size(); i++) {
            missing.put(free.get(i), lacking.get(i));
        }
        return missing;
    }

    /** The pool of each rank: that of its engine, or of the one that is missing. */
    private Map<Integer, String> pools(List<Integer> ranks) {
        Map<Integer, String> all = missingPools();
        slots.taken()
                .forEach(slot -> all.put(slot.engine().rank(), slot.engine().pool()));
        all.keySet().retainAll(ranks);
        return all;
    }

    private int wantedEngines() {
        return wanted.values().stream().mapToInt(Integer::intValue).sum();
    }

    @Override
    public ScaleReport scale(String pool, int engines, Duration toDrain) {
        try {
            return scale(pool, engines, toDrain, LaunchListener.NONE);
        } catch (LaunchException | PlacementException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    @Override
    public OptionalInt resize(PoolChange change, Duration toDrain) {
        try {
            return OptionalInt.of(scale(change.pool(), change.to(), toDrain, LaunchListener.NONE, change)
                    .after());
        } catch (LaunchException e) {
            if (!e.isBusy()) {
                throw e;
            }
            LOG.debug("not now: {}", change.text(), e);
            return OptionalInt.empty();
        }
    }

    /** Gives a pool so many engines; see {@link Fleet#scale(String, int, Duration, LaunchListener)}. */
    ScaleReport scale(String pool, int engines, Duration toDrain, LaunchListener listener) {
        return scale(pool, engines, toDrain, listener, null);
    }

    /** With a change of autoscaling, which is content with fewer further engines and ends no request. */
    private ScaleReport scale(
            String pool, int engines, Duration toDrain, LaunchListener listener, @Nullable PoolChange auto) {
        if (engines < 1) {
            throw new IllegalArgumentException(
                    "a fleet has 1 engine or more, not " + engines + "; to have none, end it");
        }
        String name = requirePool(pool);
        Duration timeout = toDrain.plus(builder.longestStart(engines));
        return change("a change to " + engines + " engine(s)", timeout, () -> {
            int before = slots.ranks(name).size();
            if (auto != null) {
                if (before != auto.from() || !Objects.equals(wanted.get(name), auto.from())) {
                    throw LaunchException.busy("the pool has another size meanwhile");
                }
                builder.remark(auto.text());
            }
            ScaleReport report = resize(name, engines, toDrain, new SerialListener(listener, phases), auto != null);
            Map<String, Integer> sizes = new LinkedHashMap<>(wanted);
            sizes.put(name, report.after());
            wanted = sizes;
            if (report.after() != before) {
                builder.remark((name.isEmpty() ? "the fleet" : "pool " + name) + " has " + report.after()
                        + " engine(s) instead of " + before);
                tell();
            }
            return report;
        });
    }

    private ScaleReport resize(String pool, int engines, Duration toDrain, LaunchListener listener, boolean auto) {
        int before = slots.ranks(pool).size();
        if (engines == before) {
            return new ScaleReport(before, before, List.of(), List.of(), 0);
        }
        boolean done = false;
        try {
            ScaleReport report = engines > before
                    ? grow(pool, engines - before, auto ? Wanted.WHAT_FITS : Wanted.ALL, listener)
                    : shrink(pool, before - engines, toDrain, !auto, listener);
            done = true;
            return report;
        } finally {
            scales.scaled(pool, engines > before, done);
        }
    }

    /** The pool of a name; the only one for an empty name. */
    private String requirePool(String pool) {
        List<String> names = List.copyOf(wanted.keySet());
        if (names.contains(pool)) {
            return pool;
        }
        if (pool.isEmpty() && names.size() == 1) {
            return names.get(0);
        }
        throw new IllegalArgumentException((pool.isEmpty()
                        ? "the fleet has several pools; name one of them: "
                        : "the fleet has no pool '" + pool + "'; it has ")
                + (names.equals(List.of("")) ? "one without a name" : String.join(", ", names)));
    }

    /** What can be done to the engines, one at a time. */
    private interface Change<T> {
        T run();
    }

    private <T> T change(String kind, Duration timeout, Change<T> task) {
        if (!changing.tryLock()) {
            throw LaunchException.busy("the fleet's engines are being changed already; wait until that is done");
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

    private ScaleReport grow(String pool, int count, Wanted wantedRanks, LaunchListener listener) {
        int before = slots.ranks(pool).size();
        List<Integer> ranks = add(
                pool, slots.freeRanks(count), wantedRanks, servers.size() + count, builder.reserveDeadline(), listener);
        return new ScaleReport(before, slots.ranks(pool).size(), ranks, List.of(), 0);
    }

    /** All of these engines for which there must be room, or none; the ranks of those that came. */
    private List<Integer> add(
            String pool,
            List<Integer> ranks,
            Wanted wantedRanks,
            int worldSize,
            Duration toReserve,
            LaunchListener listener) {
        List<EngineSlot> found = new ArrayList<>();
        boolean done = false;
        try {
            settle(pool, ranks, wantedRanks, worldSize, builder.waitForNodes(), toReserve, listener, found);
            ServerGroup grown = builder.start(servers, found, listener, ended);
            moveIn(grown, found);
            done = true;
            return found.stream().map(slot -> slot.engine().rank()).toList();
        } finally {
            if (!done) {
                Uninterrupted.run(() -> slots.giveBack(found));
            }
        }
    }

    /** Finds slots for these ranks, or for the first of them: first those that the fleet still has, on living nodes. */
    private void settle(
            String pool,
            List<Integer> ranks,
            Wanted wantedRanks,
            int worldSize,
            Duration forNodes,
            Duration toReserve,
            LaunchListener listener,
            List<EngineSlot> found) {
        List<EngineSlot> kept = slots.takeIdle(pool, ranks.size(), RayClusterReader.livingAddresses());
        for (int i = 0; i < kept.size(); i++) {
            found.add(kept.get(i).forRank(ranks.get(i), worldSize));
        }
        if (!kept.isEmpty()) {
            listener.note(LaunchPhase.PLAN, kept.size() + " engine(s) go into bundles that the fleet still has");
        }
        List<Integer> further = ranks.subList(kept.size(), ranks.size());
        if (further.isEmpty()) {
            return;
        }
        // Where some can come at once, they do not wait for the others.
        Duration patience = wantedRanks == Wanted.WHAT_FITS && !found.isEmpty() ? Duration.ZERO : forNodes;
        List<EnginePlan> others = new ArrayList<>(slots.all());
        found.forEach(slot -> others.add(slot.engine()));
        try {
            found.addAll(builder.reserve(
                    pool, further, wantedRanks, worldSize, others, patience, toReserve, listener, this::isClosed));
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

    private ScaleReport shrink(String pool, int count, Duration toDrain, boolean mayCut, LaunchListener listener) {
        List<Integer> all = slots.ranks(pool);
        int before = all.size();
        List<Integer> ranks = all.subList(all.size() - count, all.size());
        int cut;
        try (Step step = Step.begin(
                listener, LaunchPhase.DRAIN, "keeping new requests from engine(s) " + ranks + ", whose requests end")) {
            cut = drain(servers, ranks, toDrain, mayCut);
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

    /** How many requests are left; an interrupt lets the engines go on, and so do requests that may not be cut. */
    private int drain(ServerGroup servers, List<Integer> ranks, Duration toDrain, boolean mayCut) {
        List<CompletableFuture<List<Integer>>> left = new ArrayList<>();
        for (int rank : ranks) {
            // One that is lost has none; one that was not to be cut may have some.
            left.add(servers.on(rank)
                    .drain(toDrain, toDrain.plus(DRAIN_LEASE))
                    .toCompletableFuture()
                    .exceptionally(failure -> List.of(mayCut ? 0 : -1)));
        }
        try {
            EngineStarter.await(List.copyOf(left), List.of(ended), toDrain.plus(ANSWER), "without requests");
            if (!mayCut && left.stream().anyMatch(future -> future.join().get(0) != 0)) {
                throw new LaunchException("engine(s) " + ranks + " still have requests, or do not say that they have"
                        + " none, after " + toDrain.toSeconds() + " s without new ones");
            }
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
        return change("a move of engines " + ranks, builder.longestStart(ranks.size()), () -> {
            List<Integer> out = out(ranks);
            List<EngineSlot> found = new ArrayList<>();
            boolean done = false;
            try {
                if (!out.isEmpty()) {
                    settleEach(out, listener, found);
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

    /** Finds slots for engines of any pools, as far as there is room. */
    private void settleEach(List<Integer> ranks, LaunchListener listener, List<EngineSlot> found) {
        Map<String, List<Integer>> byPool = new LinkedHashMap<>();
        pools(ranks)
                .forEach((rank, pool) ->
                        byPool.computeIfAbsent(pool, name -> new ArrayList<>()).add(rank));
        PlacementException noRoom = null;
        for (Map.Entry<String, List<Integer>> pool : byPool.entrySet()) {
            try {
                settle(
                        pool.getKey(),
                        pool.getValue(),
                        Wanted.WHAT_FITS,
                        wantedEngines(),
                        Duration.ZERO,
                        SOON,
                        listener,
                        found);
            } catch (PlacementException e) {
                noRoom = e;
            }
        }
        if (noRoom != null && found.isEmpty()) {
            throw noRoom;
        }
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
            var unused = servers.resize(wantedEngines()).await(A_MOMENT);
        } catch (WorkerException e) {
            LOG.debug("not all engines know yet that there are {}", wantedEngines(), e);
        }
        try {
            changed.run();
        } catch (RuntimeException e) {
            // The change is made, whatever is known of it elsewhere.
            LOG.warn("the fleet's new size could not be written down; the next change does so", e);
        }
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
