/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.session.RayLedger;
import dev.sglangray.placement.Cluster;
import dev.sglangray.placement.ClusterSnapshot;
import dev.sglangray.placement.EnginePlan;
import dev.sglangray.placement.FleetGrowth;
import dev.sglangray.placement.FleetPlan;
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
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds places for further engines of a running fleet, starts them there, and ends them. For use by one thread at a time. */
final class EngineBuilder {
    private static final Logger LOG = LoggerFactory.getLogger(EngineBuilder.class);
    private static final Duration ANSWER = Duration.ofSeconds(20);

    private final PlanRequest request;
    private final LaunchOptions options;
    private final GroupOptions groupOptions;
    private final String fleetName;
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
     */
    EngineBuilder(
            PlanRequest request,
            Cluster cluster,
            FleetPlan plan,
            LaunchOptions options,
            GroupOptions groupOptions,
            @Nullable RouterGroup router) {
        this.request = request;
        this.cluster = cluster;
        this.options = options;
        this.groupOptions = groupOptions;
        this.fleetName = plan.fleetName();
        this.routerPlan = plan.router().orElse(null);
        this.router = router;
    }

    /**
     * Plans engines on what is free, and reserves it.
     *
     * @param worldSize how many engines the fleet has then
     * @throws dev.sglangray.placement.PlacementException when there is no room
     */
    List<Berth> reserve(List<Integer> ranks, int worldSize, Berths berths, Duration deadline, LaunchListener listener) {
        ClusterSnapshot snapshot = RayClusterReader.readWithoutVariables();
        if (!cluster.hasAll(snapshot)) {
            // A node's rank may be a variable of its, which takes a task on each node.
            cluster = cluster.widened(RayClusterReader.read());
        }
        FleetPlan plan = new FleetGrowth(
                        asOfNow(), cluster, new FreeRoom(snapshot, new RayLedger().read()), berths.all(), routerPlan)
                .plan(ranks, worldSize, FleetGrowth.groupName(fleetName, ++groups));
        FleetPlan settled =
                options.pythonInterpreter().map(plan::withDefaultPython).orElse(plan);
        String what = "reserving " + settled.bundles().size() + " bundle(s) in placement group '"
                + settled.group().name() + "'";
        try (Step step = Step.begin(listener, LaunchPhase.RESERVE, what)) {
            FleetReservation reservation =
                    FleetReservation.reserve(settled, deadline, message -> step.note(message), new RayLedger());
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

    /**
     * Creates workers in berths, starts their engines and registers them; all of them, or none is left.
     *
     * @param group the other engines
     * @return all engines
     */
    ServerGroup start(ServerGroup group, List<Berth> berths, LaunchListener listener) {
        ServerGroup grown = group;
        boolean done = false;
        try {
            List<CompletableFuture<?>> registered;
            try (Step step = Step.begin(listener, LaunchPhase.START, "starting " + berths.size() + " engine(s)")) {
                for (Map.Entry<FleetReservation, List<EnginePlan>> some :
                        byReservation(berths).entrySet()) {
                    grown = grown.with(
                            some.getValue(),
                            routerPlan == null ? null : routerPlan.groupName(),
                            some.getKey().placementGroup(),
                            groupOptions);
                }
                ServerGroup fresh = grown.on(ranks(berths));
                StartOrder order =
                        StartOrder.of(berths.stream().map(Berth::engine).toList());
                List<CompletableFuture<?>> ready = EngineStart.start(fresh, order, listener);
                registered =
                        EngineStart.register(CompletableFuture.completedFuture("serves already"), ready, fresh, router);
                EngineStart.await(
                        ready,
                        registered,
                        order.longest(groupOptions.serverHealthTimeout()).plus(LaunchOptions.ACTOR_ALLOWANCE),
                        "started");
                step.note(berths.size() + " engine(s) serve");
            }
            EngineStart.await(registered, List.of(), EngineStart.REGISTER_DEADLINE, "registered");
            done = true;
            return grown;
        } finally {
            if (!done) {
                List<Integer> known = grown.ranks();
                end(
                        grown,
                        berths.stream()
                                .map(berth -> berth.engine().rank())
                                .filter(known::contains)
                                .toList());
            }
        }
    }

    private static int[] ranks(List<Berth> berths) {
        return berths.stream().mapToInt(berth -> berth.engine().rank()).toArray();
    }

    private static Map<FleetReservation, List<EnginePlan>> byReservation(List<Berth> berths) {
        Map<FleetReservation, List<EnginePlan>> map = new LinkedHashMap<>();
        berths.forEach(berth -> map.computeIfAbsent(berth.reservation(), key -> new ArrayList<>())
                .add(berth.engine()));
        return map;
    }

    /** Takes engines from the router for good and ends their workers; an interrupted thread still gets all of it done. */
    void end(ServerGroup group, List<Integer> ranks) {
        if (ranks.isEmpty()) {
            return;
        }
        Uninterrupted.run(() -> {
            ServerGroup going =
                    group.on(ranks.stream().mapToInt(Integer::intValue).toArray());
            for (int rank : ranks) {
                try {
                    forget(going.on(rank).getServerUrl().await(ANSWER).get(0));
                } catch (WorkerException e) {
                    LOG.debug("engine {} does not know its URL; it was never on the router's list", rank, e);
                }
            }
            going.destroy();
        });
    }

    /** Takes an engine from the router for good. */
    void forget(String url) {
        if (router != null) {
            try {
                boolean unused = router.unregisterServer(url).await(ANSWER).get(0);
            } catch (WorkerException e) {
                LOG.debug("{} was not taken off the router's list", url, e);
            }
        }
    }

    /** Keeps with the router's events, and in the log, what becomes of the fleet. */
    void remark(String text) {
        LOG.info("{}", text);
        if (router != null) {
            var unused = router.remark(text);
        }
    }

    GroupOptions groupOptions() {
        return groupOptions;
    }

    Duration reserveDeadline() {
        return options.reserveDeadline();
    }
}
