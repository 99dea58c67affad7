/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.gateway.Gateway;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.app.monitor.OwnerUrls;
import dev.sglangray.app.monitor.TrainerReports;
import dev.sglangray.app.monitor.TrainerStep;
import dev.sglangray.config.thread.Threads;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.workers.FleetControl;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerGroup;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A launched fleet: the router with its engines, or one of the two. Belongs to its owner, which launched it, and ends when it is
 * closed or when their Ray job ends. Safe for use by several threads.
 */
public final class Fleet implements AutoCloseable {
    /** How long requests of engines that go may take to end, unless the caller says otherwise. */
    public static final Duration DEFAULT_DRAIN = Duration.ofMinutes(5);

    /** A worker knows its URL. */
    private static final Duration ANSWER = Duration.ofSeconds(20);

    private final FleetPlan plan;
    private final FleetReservation reservation;
    private final @Nullable FleetEngines engines;
    private final @Nullable RouterGroup routerGroup;
    private final SupervisionPolicy supervision;
    private final @Nullable Gateway gateway;
    private final @Nullable LostNodeReplanner watch;
    private final @Nullable FleetMonitor monitor;
    private final OwnerUrls urls;
    private final TrainerReports reports;
    private final AtomicBoolean closed = new AtomicBoolean();

    Fleet(
            FleetPlan plan,
            FleetReservation reservation,
            @Nullable FleetEngines engines,
            @Nullable RouterGroup routerGroup,
            SupervisionPolicy supervision,
            @Nullable Gateway gateway,
            @Nullable LostNodeReplanner watch,
            @Nullable FleetMonitor monitor,
            OwnerUrls urls,
            TrainerReports reports) {
        this.plan = plan;
        this.reservation = reservation;
        this.engines = engines;
        this.routerGroup = routerGroup;
        this.supervision = supervision;
        this.gateway = gateway;
        this.watch = watch;
        this.monitor = monitor;
        this.urls = urls;
        this.reports = reports;
    }

    /** What was planned at the launch; {@link #scale} does not change it. */
    public FleetPlan plan() {
        return plan;
    }

    /** How its workers are looked after. */
    public SupervisionPolicy supervision() {
        return supervision;
    }

    /** Where the owner serves what it sees of the fleet. */
    public OwnerUrls urls() {
        return urls;
    }

    /**
     * Shows numbers of a trainer's step on the fleet's page, such as its mean reward. The last 1,000 steps are kept; a further report of
     * a step adds to it. A fleet without a page checks the numbers and keeps none. Returns at once.
     *
     * @param step the step's number, 0 or more
     * @param values 1 to 16 finite numbers by name, of 1 to 64 characters; a fleet has 16 names at most
     * @throws IllegalArgumentException when they are not so
     */
    public void report(long step, Map<String, Double> values) {
        reports.take(new TrainerStep(step, values));
    }

    /** The engines as they are now, to be asked for again after {@link #scale}; empty when {@code launch_server} was off. */
    public Optional<ServerGroup> serverGroup() {
        return Optional.ofNullable(engines).map(FleetEngines::servers);
    }

    /** As {@link #scale(int, Duration, LaunchListener)}, with {@link #DEFAULT_DRAIN} and without progress. */
    public ScaleReport scale(int wanted) {
        return scale(wanted, DEFAULT_DRAIN, LaunchListener.NONE);
    }

    /** As {@link #scale(String, int, Duration, LaunchListener)}, of a fleet that has one pool only. */
    public ScaleReport scale(int wanted, Duration toDrain, LaunchListener listener) {
        return scale("", wanted, toDrain, listener);
    }

    /**
     * Gives a pool of the fleet so many engines, and returns when it has them.
     *
     * <p>Further engines are as wide as those that there are, in the same node groups, on hardware that the fleet does not use
     * and Ray has left; nodes that joined the cluster since count. They get a placement group of their own, unless the fleet
     * lives in an existing one, and the fleet's current weights, and the router hears of them when they serve. When one
     * fails, or this thread is interrupted, all of the further ones are ended and the fleet is as before.
     *
     * <p>Engines that go are those of the highest ranks. They get no new requests, end those that they have, and are ended.
     * Ray keeps the bundles of the launch's placement group until the fleet ends: they are where the next further
     * engines go.
     *
     * @param pool the pool's name; empty for the only one
     * @param wanted how many, 1 or more
     * @param toDrain how long requests of engines that go may take to end; those that have not are counted in the report
     * @throws IllegalArgumentException when that is not a number of engines, or there is no such pool
     * @throws IllegalStateException when the fleet has no engines
     * @throws dev.sglangray.placement.PlacementException when there is no room for them, saying what each node has left
     * @throws dev.sglangray.workers.WorkerException when one does not start or is not accepted by the router
     * @throws LaunchException when another change is under way, a deadline passes, or the thread is interrupted
     */
    public ScaleReport scale(String pool, int wanted, Duration toDrain, LaunchListener listener) {
        return requireEngines().scale(pool, wanted, toDrain, listener);
    }

    private FleetEngines requireEngines() {
        if (engines == null) {
            throw new IllegalStateException("the fleet has no engines of its own");
        }
        return engines;
    }

    /** The router; empty when {@code launch_router} was off. */
    public Optional<RouterGroup> routerGroup() {
        return Optional.ofNullable(routerGroup);
    }

    /**
     * What a trainer does with the whole fleet: its memory, its generation, its weights.
     *
     * @throws IllegalStateException when the fleet has no engines
     */
    public FleetControl control() {
        return FleetControl.of(requireEngines().servers(), routerGroup);
    }

    /**
     * The one URL to send requests to, without a slash at its end: the router's, or the first engine's where there is
     * no router; as RLinf's {@code get_sglang_api_url}.
     *
     * @throws IllegalStateException when the fleet has neither
     */
    public String apiUrl() {
        return apiUrl(serverGroup().orElse(null), routerGroup);
    }

    /** As {@link #apiUrl()}, for groups that were attached to. */
    public static String apiUrl(@Nullable ServerGroup servers, @Nullable RouterGroup router) {
        if (router != null) {
            return withoutSlash(router.getRouterUrl().await(ANSWER).get(0));
        }
        if (servers != null) {
            return withoutSlash(servers.on(servers.ranks().get(0))
                    .getServerUrl()
                    .await(ANSWER)
                    .get(0));
        }
        throw new IllegalStateException("the fleet has neither a router nor engines, so it has no URL");
    }

    /**
     * Ends engines and router, then gives the placement group back. An interrupted thread still gets all of it done, only
     * less patiently. May be called again.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            if (monitor != null) {
                monitor.close();
            }
            if (watch != null) {
                watch.close();
            }
        } finally {
            end(engines, routerGroup, reservation, gateway);
        }
    }

    /** Ends what there is, the groups at the same time, and keeps the thread's interrupt flag as it was. */
    static void end(
            @Nullable FleetEngines engines,
            @Nullable RouterGroup router,
            @Nullable FleetReservation reservation,
            @Nullable Gateway gateway) {
        Uninterrupted.run(() -> {
            List<FleetReservation> reservations = new ArrayList<>();
            try {
                if (engines != null) {
                    engines.close();
                    reservations.addAll(engines.further());
                }
                endGroups(engines == null ? null : engines.servers(), router, gateway);
            } finally {
                if (reservation != null) {
                    reservations.add(reservation);
                }
                closeAll(reservations);
            }
        });
    }

    private static void endGroups(
            @Nullable ServerGroup servers, @Nullable RouterGroup router, @Nullable Gateway gateway) {
        List<CompletableFuture<Void>> endings = new ArrayList<>();
        if (gateway != null) {
            endings.add(CompletableFuture.runAsync(gateway::close, Threads.each("end-gateway")));
        }
        for (WorkerGroup<?> group : groups(servers, router)) {
            endings.add(CompletableFuture.runAsync(group::destroy, Threads.each("end-" + group.name())));
        }
        CompletableFuture.allOf(endings.toArray(CompletableFuture<?>[]::new)).join();
    }

    private static void closeAll(List<FleetReservation> reservations) {
        RuntimeException failed = null;
        for (FleetReservation reservation : reservations) {
            try {
                reservation.close();
            } catch (RuntimeException e) {
                if (failed == null) {
                    failed = e;
                } else {
                    failed.addSuppressed(e);
                }
            }
        }
        if (failed != null) {
            throw failed;
        }
    }

    private static List<WorkerGroup<?>> groups(@Nullable ServerGroup servers, @Nullable RouterGroup router) {
        List<WorkerGroup<?>> groups = new ArrayList<>();
        if (router != null) {
            groups.add(router);
        }
        if (servers != null) {
            groups.add(servers);
        }
        return groups;
    }

    private static String withoutSlash(String url) {
        return url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    }
}
