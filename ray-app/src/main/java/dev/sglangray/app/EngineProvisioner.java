/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.session.RayLedger;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeInfo;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetGrowth;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.plan.RouterPlan;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.placement.ray.FreeCapacity;
import dev.sglangray.placement.ray.GroupCreator;
import dev.sglangray.placement.ray.NodeDemand;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds places for further engines of a running fleet, starts them there, and ends them. For use by one thread at a time. */
final class EngineProvisioner {
    private static final Logger LOG = LoggerFactory.getLogger(EngineProvisioner.class);
    private static final Duration ANSWER = Duration.ofSeconds(20);

    private final PlanRequest request;
    private final LaunchOptions options;
    private final GroupOptions groupOptions;
    private final GroupCreator groupCreator;
    private final String fleetName;
    private final List<EnginePlan> launched;
    private final @Nullable RouterPlan routerPlan;
    private final @Nullable RouterGroup router;
    private Cluster cluster;
    private int groups;

    /**
     * For the fleet of a launch.
     *
     * @param request what it was planned from
     * @param cluster the cluster then
     * @param groupOptions how actors are made
     * @param groups how many placement groups for further engines there were
     */
    EngineProvisioner(
            PlanRequest request,
            Cluster cluster,
            FleetPlan plan,
            LaunchOptions options,
            GroupOptions groupOptions,
            GroupCreator groupCreator,
            @Nullable RouterGroup router,
            int groups) {
        this.groups = groups;
        this.request = request;
        this.cluster = cluster;
        this.options = options;
        this.groupOptions = groupOptions;
        this.groupCreator = groupCreator;
        this.fleetName = plan.fleetName();
        this.launched = plan.engines();
        this.routerPlan = plan.router().orElse(null);
        this.router = router;
    }

    /** How many of the engines that are asked for there must be room for. */
    enum Wanted {
        ALL,
        WHAT_FITS
    }

    /**
     * Plans engines of a pool on what is free, and reserves it.
     *
     * @param worldSize how many engines the fleet has then
     * @param others all that the further engines must stay clear of
     * @param forNodes how long to wait for nodes that join the cluster where there is no room; zero for not at all
     * @param cancelled asked once a second while Ray is waited for
     * @throws PlacementException when there is no room
     */
    List<EngineSlot> reserve(
            String pool,
            List<Integer> ranks,
            Wanted wanted,
            int worldSize,
            List<EnginePlan> others,
            Duration forNodes,
            Duration deadline,
            LaunchListener listener,
            BooleanSupplier cancelled) {
        String name = FleetGrowth.groupName(fleetName, ++groups);
        Function<FleetGrowth, FleetPlan> planning = growth -> (wanted == Wanted.ALL
                        ? growth.plan(ranks, worldSize, name)
                        : growth.planWhatFits(ranks, worldSize, name))
                .withDefaultPython(options.pythonInterpreter());
        FleetGrowth now = growth(pool, others);
        FleetPlan plan;
        try {
            plan = planning.apply(now);
        } catch (PlacementException noRoom) {
            if (forNodes.isZero()) {
                throw noRoom;
            }
            plan = planWithNodes(
                    name,
                    now.bundles(ranks.size()),
                    forNodes,
                    noRoom,
                    listener,
                    cancelled,
                    wanted == Wanted.WHAT_FITS,
                    () -> planning.apply(growth(pool, others)));
        }
        PlanCheck.requireOneNode(
                options.advertiseHost(),
                Stream.concat(others.stream(), plan.engines().stream()).toList());
        return reserve(plan, deadline, listener, cancelled);
    }

    /** Where some engines are enough, those for which there is room in the end. */
    private static FleetPlan planWithNodes(
            String name,
            List<Map<String, Double>> bundles,
            Duration deadline,
            PlacementException noRoom,
            LaunchListener listener,
            BooleanSupplier cancelled,
            boolean someAreEnough,
            Supplier<FleetPlan> planning) {
        try {
            awaitNodes(name, bundles, deadline, noRoom, listener, cancelled);
        } catch (PlacementException notAll) {
            if (!someAreEnough || Thread.currentThread().isInterrupted() || cancelled.getAsBoolean()) {
                throw notAll;
            }
            try {
                return planning.get();
            } catch (PlacementException none) {
                notAll.addSuppressed(none);
                throw notAll;
            }
        }
        return planning.get();
    }

    /** Until the cluster has grown; what it lacked without that is in the failure. */
    private static void awaitNodes(
            String name,
            List<Map<String, Double>> bundles,
            Duration deadline,
            PlacementException noRoom,
            LaunchListener listener,
            BooleanSupplier cancelled) {
        String what = "asking Ray's cluster autoscaler for %d bundle(s): %s"
                .formatted(
                        bundles.size(),
                        String.valueOf(noRoom.getMessage()).lines().findFirst().orElse(""));
        try (Step step = Step.begin(listener, LaunchPhase.RESERVE, what)) {
            NodeDemand.await(name + "/nodes", bundles, deadline, message -> step.note(message), cancelled);
        } catch (PlacementException e) {
            noRoom.addSuppressed(e);
            throw PlacementException.builder(e.getMessage() + ": " + noRoom.getMessage())
                    .cause(noRoom)
                    .build();
        }
    }

    private FleetGrowth growth(String pool, List<EnginePlan> others) {
        ClusterSnapshot snapshot = RayClusterReader.readWithoutVariables();
        if (!cluster.hasAll(snapshot)) {
            // A node's rank may be a variable of its, which takes a task on each node.
            cluster = cluster.widened(RayClusterReader.read());
        }
        return new FleetGrowth(
                asOfNow(),
                cluster,
                new FreeCapacity(snapshot, new RayLedger().read()),
                alike(pool),
                others,
                routerPlan);
    }

    private List<EngineSlot> reserve(
            FleetPlan plan, Duration deadline, LaunchListener listener, BooleanSupplier cancelled) {
        String what = "reserving " + plan.bundles().size() + " bundle(s) in placement group '"
                + plan.group().name() + "'";
        try (Step step = Step.begin(listener, LaunchPhase.RESERVE, what)) {
            FleetReservation reservation = FleetReservation.reserve(
                    plan, deadline, message -> step.note(message), new RayLedger(), groupCreator, cancelled);
            return plan.engines().stream()
                    .map(engine -> new EngineSlot(engine, reservation))
                    .toList();
        }
    }

    /** An engine of the launch, as which further ones of its pool are. */
    private EnginePlan alike(String pool) {
        Optional<EnginePlan> known =
                launched.stream().filter(engine -> engine.pool().equals(pool)).findFirst();
        // An owner that took the fleet over may know none of a pool whose engines were all lost.
        return known.or(() -> FleetPlanner.plan(request).engines().stream()
                        .filter(engine -> engine.pool().equals(pool))
                        .findFirst())
                .orElseThrow(() -> new LaunchException("the fleet has no pool '" + pool + "'"));
    }

    private PlanRequest asOfNow() {
        return SGLangLauncher.existingGroup(
                        request.groupSettings(), Ray.getRuntimeContext().getNamespace())
                .map(request::withExistingGroup)
                .orElse(request);
    }

    /**
     * Creates workers in slots, starts their engines and registers them; all of them, or none is left.
     *
     * @param group the other engines
     * @param cancelled ends the wait when it fails
     * @return all engines
     */
    ServerGroup start(
            ServerGroup group, List<EngineSlot> slots, LaunchListener listener, CompletableFuture<?> cancelled) {
        ServerGroup grown = create(group, slots);
        boolean done = false;
        try {
            Starting starting = begin(grown, slots, listener);
            try (Step step = Step.begin(listener, LaunchPhase.START, "starting " + slots.size() + " engine(s)")) {
                List<CompletableFuture<?>> watched = new ArrayList<>(starting.registered());
                watched.add(cancelled);
                EngineStarter.await(starting.ready(), watched, timeout(slots), "started");
                step.note(slots.size() + " engine(s) serve");
            }
            EngineStarter.await(
                    starting.registered(),
                    List.of(cancelled),
                    EngineStarter.registerDeadline(slots.size()),
                    "registered");
            done = true;
            return grown;
        } finally {
            if (!done) {
                end(grown, ranks(slots));
            }
        }
    }

    /**
     * What came of engines that need not all start.
     *
     * @param group the other engines and those that serve
     * @param failed why the others do not, by rank; nothing of them is left
     */
    record Started(ServerGroup group, Map<Integer, RuntimeException> failed) {}

    /** As {@link #start}, but an engine that does not start costs the others nothing. */
    Started startEach(
            ServerGroup group, List<EngineSlot> slots, LaunchListener listener, CompletableFuture<?> cancelled) {
        ServerGroup grown = create(group, slots);
        List<Integer> ranks = ranks(slots);
        Map<Integer, RuntimeException> failed = new LinkedHashMap<>();
        boolean done = false;
        try (Step step = Step.begin(listener, LaunchPhase.START, "starting " + slots.size() + " engine(s)")) {
            Starting starting = begin(grown, slots, listener);
            EngineStarter.awaitEach(
                            router == null ? starting.ready() : starting.registered(),
                            cancelled,
                            timeout(slots).plus(EngineStarter.registerDeadline(slots.size())))
                    .forEach((index, why) -> failed.put(ranks.get(index), why));
            done = true;
            step.note((slots.size() - failed.size()) + " engine(s) serve");
        } finally {
            end(grown, done ? List.copyOf(failed.keySet()) : ranks);
        }
        return new Started(grown.without(failed.keySet()), failed);
    }

    private record Starting(List<CompletableFuture<?>> ready, List<CompletableFuture<?>> registered) {}

    private Starting begin(ServerGroup grown, List<EngineSlot> slots, LaunchListener listener) {
        ServerGroup fresh = on(grown, ranks(slots));
        List<CompletableFuture<?>> ready = EngineStarter.start(fresh, listener);
        return new Starting(
                ready,
                EngineStarter.register(CompletableFuture.completedFuture("serves already"), ready, fresh, router));
    }

    private Duration timeout(List<EngineSlot> slots) {
        return EngineStarter.timeout(
                        slots.stream().map(EngineSlot::engine).toList(), groupOptions.serverHealthTimeout())
                .plus(LaunchOptions.ACTOR_ALLOWANCE);
    }

    /** All of their workers, or none. */
    private ServerGroup create(ServerGroup group, List<EngineSlot> slots) {
        ServerGroup grown = group;
        boolean done = false;
        try {
            for (Map.Entry<FleetReservation, List<EnginePlan>> some :
                    byReservation(slots).entrySet()) {
                grown = grown.with(
                        some.getValue(),
                        routerPlan == null ? null : routerPlan.groupName(),
                        some.getKey().placementGroup(),
                        groupOptions);
            }
            done = true;
            return grown;
        } finally {
            if (!done) {
                List<Integer> created = new ArrayList<>(grown.ranks());
                created.removeAll(group.ranks());
                end(grown, created);
            }
        }
    }

    private static List<Integer> ranks(List<EngineSlot> slots) {
        return slots.stream().map(slot -> slot.engine().rank()).toList();
    }

    private static ServerGroup on(ServerGroup group, List<Integer> ranks) {
        return group.on(ranks.stream().mapToInt(Integer::intValue).toArray());
    }

    private static Map<FleetReservation, List<EnginePlan>> byReservation(List<EngineSlot> slots) {
        Map<FleetReservation, List<EnginePlan>> map = new LinkedHashMap<>();
        slots.forEach(slot -> map.computeIfAbsent(slot.reservation(), key -> new ArrayList<>())
                .add(slot.engine()));
        return map;
    }

    /** Takes engines from the router for good and ends their workers; an interrupted thread still gets all of it done. */
    void end(ServerGroup group, List<Integer> ranks) {
        if (ranks.isEmpty()) {
            return;
        }
        Uninterrupted.run(() -> {
            ServerGroup going = on(group, ranks);
            retire(going.keys());
            going.destroy();
        });
    }

    /** Takes engines from the router for good, by the keys of their workers: no late registration brings them back. */
    void retire(Collection<String> keys) {
        if (router == null) {
            return;
        }
        List<CompletableFuture<?>> retired = keys.stream()
                .<CompletableFuture<?>>map(key -> router.retire(key).toCompletableFuture())
                .toList();
        try {
            // A router's worker that does not answer keeps members whose workers are gone, and sends them nothing.
            EngineStarter.awaitEach(retired, new CompletableFuture<>(), ANSWER)
                    .forEach((index, why) -> LOG.debug("an engine was not taken off the router's list", why));
        } catch (LaunchException e) {
            LOG.debug("the router was not waited for", e);
        }
    }

    /** How long so many further engines may take from their plan to their registration. */
    Duration longestStart(int engines) {
        return options.reserveTimeout()
                .plus(waitForNodes())
                .plus(groupOptions.serverHealthTimeout())
                .plus(LaunchOptions.ACTOR_ALLOWANCE)
                .plus(EngineStarter.registerDeadline(engines));
    }

    /**
     * Begins a change of the fleet, which excludes others, such as an update of its weights.
     *
     * @throws LaunchException that is busy when another change is under way
     */
    void beginChange(String kind, String token, Duration lease) {
        if (router == null) {
            return;
        }
        String refusal;
        try {
            refusal = router.beginChange(kind, token, lease).await(ANSWER).get(0);
        } catch (WorkerException e) {
            // Without the registry nothing else can change the fleet either.
            LOG.warn("{} begins without the router's worker, which does not answer: {}", kind, e.getMessage());
            return;
        }
        if (!refusal.isEmpty()) {
            throw LaunchException.busy(refusal);
        }
    }

    /** Returns when the change is over, so that the next one does not meet it. */
    void endChange(String token) {
        if (router != null) {
            Uninterrupted.run(() -> {
                try {
                    var unused = router.endChange(token).await(ANSWER);
                } catch (WorkerException e) {
                    LOG.debug("the change ends with its lease", e);
                }
            });
        }
    }

    /** Keeps with the router's events, and in the log, what becomes of the fleet. */
    void remark(String text) {
        LOG.info("{}", text);
        if (router != null) {
            var unused = router.remark(text);
        }
    }

    /** The fleet as it is, for a successor. */
    FleetState state(FleetPlan launch, Map<String, Integer> wanted, List<FleetState.Seat> seats) {
        return new FleetState(
                cluster.nodes().stream().map(NodeInfo::snapshot).toList(),
                cluster.launched(),
                launch.engines().isEmpty()
                        ? ""
                        : launch.engines().get(0).environment().getOrDefault("MASTER_ADDR", ""),
                wanted,
                groups,
                routerPlan == null ? -1 : routerPlan.bundleIndex(),
                launch.bundles(),
                seats);
    }

    /** How long a growth waits for nodes that Ray's cluster autoscaler adds. */
    Duration waitForNodes() {
        return request.groupSettings().waitForNodes();
    }

    Duration reserveDeadline() {
        return options.reserveTimeout();
    }
}
