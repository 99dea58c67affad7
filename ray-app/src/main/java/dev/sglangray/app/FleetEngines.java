/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.session.RayLedger;
import dev.sglangray.placement.Cluster;
import dev.sglangray.placement.ClusterSnapshot;
import dev.sglangray.placement.EnginePlan;
import dev.sglangray.placement.FleetGrowth;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.NodeSnapshot;
import dev.sglangray.placement.PlanRequest;
import dev.sglangray.placement.RouterPlan;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.placement.ray.FreeRoom;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The engines of a running fleet: which there are, where each lives, and how their number changes. One change at a time;
 * safe for use by several threads.
 */
final class FleetEngines {
    private static final Logger LOG = LoggerFactory.getLogger(FleetEngines.class);
    private static final Duration ANSWER = Duration.ofSeconds(20);

    private final PlanRequest request;
    private final LaunchOptions options;
    private final GroupOptions groupOptions;
    private final @Nullable RouterPlan routerPlan;
    private final @Nullable RouterGroup router;
    private final Berths berths;
    private final String fleetName;
    private final ReentrantLock changing = new ReentrantLock();
    private volatile ServerGroup servers;
    private volatile @Nullable Thread changer;
    private volatile boolean launched;
    private volatile boolean closed;
    private volatile Runnable changed = () -> {};
    private Cluster cluster;
    private int groups;

    /**
     * Those of a launch.
     *
     * @param request what it was planned from
     * @param cluster the cluster then
     * @param groupOptions how actors are made
     */
    FleetEngines(
            PlanRequest request,
            Cluster cluster,
            FleetPlan plan,
            LaunchOptions options,
            GroupOptions groupOptions,
            FleetReservation launch,
            ServerGroup servers,
            @Nullable RouterGroup router) {
        this.request = request;
        this.cluster = cluster;
        this.options = options;
        this.groupOptions = groupOptions;
        this.routerPlan = plan.router().orElse(null);
        this.router = router;
        this.fleetName = plan.fleetName();
        this.servers = servers;
        this.berths = new Berths(plan.engines(), launch);
    }

    /** What is to be run within a change, once the engines are others. */
    void whenChanged(Runnable toRun) {
        changed = toRun;
    }

    /** All serve: from now on their number may change. */
    void launched() {
        launched = true;
    }

    /** The engines as they are now. */
    ServerGroup servers() {
        return servers;
    }

    /** Where each engine lives, by rank. */
    List<Berth> where() {
        return berths.ranks().stream().flatMap(rank -> berths.of(rank).stream()).toList();
    }

    /**
     * Gives the fleet so many engines; see {@link Fleet#scale(int, Duration, LaunchListener)}.
     */
    ScaleReport scale(int wanted, Duration toDrain, LaunchListener listener) {
        if (wanted < 1) {
            throw new IllegalArgumentException(
                    "a fleet has 1 engine or more, not " + wanted + "; to have none, end it");
        }
        begin();
        try {
            int before = servers.size();
            ScaleReport report = new ScaleReport(before, before, List.of(), List.of(), 0);
            if (wanted > before) {
                report = grow(wanted - before, new SerialListener(listener));
            } else if (wanted < before) {
                report = shrink(before - wanted, toDrain, new SerialListener(listener));
            }
            if (report.after() != before) {
                tellSize();
                changed.run();
            }
            return report;
        } finally {
            end();
        }
    }

    private void begin() {
        if (!changing.tryLock()) {
            throw new LaunchException("the number of engines is being changed already; wait until that is done");
        }
        changer = Thread.currentThread();
        if (closed || !launched) {
            end();
            throw new LaunchException(closed ? "the fleet has ended" : "the fleet is being launched");
        }
    }

    private void end() {
        changer = null;
        changing.unlock();
    }

    private ScaleReport grow(int count, LaunchListener listener) {
        int before = servers.size();
        List<Integer> ranks = berths.freeRanks(count);
        List<Berth> found = new ArrayList<>();
        List<Berth> moved = new ArrayList<>();
        ServerGroup grown = servers;
        boolean done = false;
        try {
            try (Step step = Step.begin(listener, LaunchPhase.PLAN, "planning " + count + " further engine(s)")) {
                found.addAll(berths.takeIdle(count, living()));
                found.forEach(berth -> moved.add(berth.forRank(ranks.get(moved.size()), before + count)));
                if (!found.isEmpty()) {
                    step.note(found.size() + " of them in bundles that the fleet still has");
                }
            }
            List<Integer> further = ranks.subList(moved.size(), ranks.size());
            if (!further.isEmpty()) {
                List<Berth> reserved = reserve(further, listener);
                found.addAll(reserved);
                moved.addAll(reserved);
            }
            grown = start(grown, moved, listener);
            if (closed) {
                throw new LaunchException("the fleet was ended meanwhile");
            }
            berths.put(moved);
            servers = grown;
            done = true;
        } finally {
            if (!done) {
                takeBack(grown, ranks, found);
            }
        }
        return new ScaleReport(before, servers.size(), ranks, List.of(), 0);
    }

    /** Plans engines of these ranks on what is free, and reserves it. */
    private List<Berth> reserve(List<Integer> ranks, LaunchListener listener) {
        FleetPlan plan;
        ClusterSnapshot snapshot = RayClusterReader.read();
        cluster = cluster.widened(snapshot);
        String name = fleetName + "/scale-" + ++groups;
        plan = new FleetGrowth(
                        asOfNow(), cluster, new FreeRoom(snapshot, new RayLedger().read()), berths.all(), routerPlan)
                .plan(ranks, name);
        FleetPlan settled =
                options.pythonInterpreter().map(plan::withDefaultPython).orElse(plan);
        String what = "reserving " + settled.bundles().size() + " bundle(s) in placement group '"
                + settled.group().name() + "'";
        try (Step step = Step.begin(listener, LaunchPhase.RESERVE, what)) {
            FleetReservation reservation = FleetReservation.reserve(
                    settled, options.reserveDeadline(), message -> step.note(message), new RayLedger());
            return settled.engines().stream()
                    .map(engine -> new Berth(engine, reservation))
                    .toList();
        }
    }

    private PlanRequest asOfNow() {
        return SGLangLauncher.existingGroup(
                        request.groupSettings(), Ray.getRuntimeContext().getNamespace())
                .map(request::withExistingGroup)
                .orElse(request);
    }

    /** Creates workers in berths, starts their engines and registers them. */
    private ServerGroup start(ServerGroup group, List<Berth> moved, LaunchListener listener) {
        List<Integer> ranks = moved.stream().map(berth -> berth.engine().rank()).toList();
        List<EnginePlan> plans = moved.stream().map(Berth::engine).toList();
        ServerGroup grown = group;
        boolean done = false;
        try {
            List<CompletableFuture<?>> registered;
            try (Step step = Step.begin(listener, LaunchPhase.START, "starting " + moved.size() + " engine(s)")) {
                Map<FleetReservation, List<EnginePlan>> byReservation = new LinkedHashMap<>();
                moved.forEach(berth -> byReservation
                        .computeIfAbsent(berth.reservation(), reservation -> new ArrayList<>())
                        .add(berth.engine()));
                for (Map.Entry<FleetReservation, List<EnginePlan>> some : byReservation.entrySet()) {
                    grown = grown.with(
                            some.getValue(),
                            routerPlan == null ? null : routerPlan.groupName(),
                            some.getKey().placementGroup(),
                            groupOptions);
                }
                ServerGroup fresh =
                        grown.on(ranks.stream().mapToInt(Integer::intValue).toArray());
                StartOrder order = StartOrder.of(plans);
                List<CompletableFuture<?>> ready = EngineStart.start(fresh, order, listener);
                registered =
                        EngineStart.register(CompletableFuture.completedFuture("serves already"), ready, fresh, router);
                EngineStart.await(
                        ready,
                        registered,
                        order.longest(groupOptions.serverHealthTimeout()).plus(LaunchOptions.ACTOR_ALLOWANCE),
                        "started");
            }
            if (!registered.isEmpty()) {
                String what = "registering " + registered.size() + " engine(s) with the router";
                try (Step step = Step.begin(listener, LaunchPhase.REGISTER, what)) {
                    EngineStart.await(registered, List.of(), EngineStart.REGISTER_DEADLINE, "registered");
                }
            }
            done = true;
            return grown;
        } finally {
            if (!done) {
                endWorkers(grown, ranks.stream().filter(grown.ranks()::contains).toList());
            }
        }
    }

    private void takeBack(ServerGroup grown, List<Integer> ranks, List<Berth> found) {
        Uninterrupted.run(() -> {
            if (grown != servers) {
                endWorkers(grown, ranks);
            }
            berths.giveBack(found);
        });
    }

    /** Takes engines from the router for good and ends their workers; an interrupted thread still gets all of it done. */
    private void endWorkers(ServerGroup group, List<Integer> ranks) {
        if (ranks.isEmpty()) {
            return;
        }
        Uninterrupted.run(() -> {
            ServerGroup gone =
                    group.on(ranks.stream().mapToInt(Integer::intValue).toArray());
            if (router != null) {
                for (int rank : ranks) {
                    forget(gone.on(rank));
                }
            }
            gone.destroy();
        });
    }

    private void forget(ServerGroup engine) {
        try {
            String url = engine.getServerUrl().await(ANSWER).get(0);
            boolean unused =
                    router == null || router.unregisterServer(url).await(ANSWER).get(0);
        } catch (WorkerException e) {
            LOG.debug("{} was not taken off the router's list; it may never have been on it", engine, e);
        }
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
            ServerGroup rest = servers.without(ranks, groupOptions);
            endWorkers(servers, ranks);
            servers = rest;
            berths.leave(ranks);
        }
        return new ScaleReport(before, before - count, List.of(), ranks, cut);
    }

    /** How many requests are left; an interrupt lets the engines go on. */
    private static int drain(ServerGroup servers, List<Integer> ranks, Duration toDrain) {
        Map<Integer, CompletableFuture<List<Integer>>> left = new LinkedHashMap<>();
        for (int rank : ranks) {
            // One that is lost has none.
            left.put(rank, servers.on(rank).drain(toDrain).toCompletableFuture().exceptionally(failure -> List.of(0)));
        }
        try {
            EngineStart.await(List.copyOf(left.values()), List.of(), toDrain.plus(ANSWER), "without requests");
        } catch (LaunchException e) {
            Uninterrupted.run(() -> ranks.forEach(rank -> servers.on(rank).undrain(ANSWER)));
            throw e;
        }
        return left.values().stream()
                .mapToInt(future -> Math.max(0, future.join().get(0)))
                .sum();
    }

    private void tellSize() {
        ServerGroup now = servers;
        for (int rank : now.ranks()) {
            try {
                boolean unused = now.on(rank).resize(now.size()).await(ANSWER).get(0);
            } catch (WorkerException e) {
                LOG.debug("engine {} was not told that its group has {} engines", rank, now.size(), e);
            }
        }
    }

    private static Set<String> living() {
        return RayClusterReader.readWithoutVariables().nodes().stream()
                .map(NodeSnapshot::ip)
                .collect(Collectors.toSet());
    }

    /** Ends a change that is under way, which takes back what it had started, and lets none begin; waits for that. */
    void close() {
        closed = true;
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
}
