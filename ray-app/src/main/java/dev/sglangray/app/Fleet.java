/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.gateway.Gateway;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.workers.FleetControl;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerGroup;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A launched fleet: the router with its engines, or one of the two. Belongs to whoever launched it, and ends when it is
 * closed or when their Ray job ends. Safe for use by several threads.
 */
public final class Fleet implements AutoCloseable {
    private final FleetPlan plan;
    private final FleetReservation reservation;
    private final @Nullable ServerGroup serverGroup;
    private final @Nullable RouterGroup routerGroup;
    private final SupervisionPolicy supervision;
    private final @Nullable Gateway gateway;
    private final AtomicBoolean closed = new AtomicBoolean();

    Fleet(
            FleetPlan plan,
            FleetReservation reservation,
            @Nullable ServerGroup serverGroup,
            @Nullable RouterGroup routerGroup,
            SupervisionPolicy supervision,
            @Nullable Gateway gateway) {
        this.plan = plan;
        this.reservation = reservation;
        this.serverGroup = serverGroup;
        this.routerGroup = routerGroup;
        this.supervision = supervision;
        this.gateway = gateway;
    }

    /** What was planned, and now runs. */
    public FleetPlan plan() {
        return plan;
    }

    /** How its workers are looked after. */
    public SupervisionPolicy supervision() {
        return supervision;
    }

    /** The engines; empty when {@code launch_server} was off. */
    public Optional<ServerGroup> serverGroup() {
        return Optional.ofNullable(serverGroup);
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
        if (serverGroup == null) {
            throw new IllegalStateException("the fleet has no engines of its own");
        }
        return FleetControl.of(serverGroup, routerGroup);
    }

    /**
     * The one URL to send requests to, without a slash at its end: the router's, or the first engine's where there is
     * no router; as RLinf's {@code get_sglang_api_url}.
     *
     * @throws IllegalStateException when the fleet has neither
     */
    public String apiUrl() {
        return apiUrl(serverGroup, routerGroup);
    }

    /** As {@link #apiUrl()}, for groups that were attached to. */
    public static String apiUrl(@Nullable ServerGroup servers, @Nullable RouterGroup router) {
        if (router != null) {
            return withoutSlash(router.getRouterUrl().awaitSingle());
        }
        if (servers != null) {
            return withoutSlash(
                    servers.on(servers.ranks().get(0)).getServerUrl().awaitSingle());
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
        end(serverGroup, routerGroup, reservation, gateway);
    }

    /** Ends what there is, the groups at the same time, and keeps the thread's interrupt flag as it was. */
    static void end(
            @Nullable ServerGroup servers,
            @Nullable RouterGroup router,
            @Nullable FleetReservation reservation,
            @Nullable Gateway gateway) {
        boolean interrupted = Thread.interrupted();
        try {
            List<CompletableFuture<Void>> endings = new ArrayList<>();
            if (gateway != null) {
                endings.add(
                        CompletableFuture.runAsync(gateway::close, task -> new Thread(task, "end-gateway").start()));
            }
            for (WorkerGroup<?> group : groups(servers, router)) {
                endings.add(CompletableFuture.runAsync(
                        group::close, task -> new Thread(task, "end-" + group.name()).start()));
            }
            CompletableFuture.allOf(endings.toArray(CompletableFuture<?>[]::new))
                    .join();
        } finally {
            try {
                if (reservation != null) {
                    reservation.close();
                }
            } finally {
                if (interrupted) {
                    Thread.currentThread().interrupt();
                }
            }
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
