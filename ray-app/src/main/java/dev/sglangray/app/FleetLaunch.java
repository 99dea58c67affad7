/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.gateway.Gateway;
import dev.sglangray.app.gateway.GatewayFacts;
import dev.sglangray.app.session.RayLedger;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One launch of one plan: reserve, start, register, or take everything back. For one use by one thread.
 */
final class FleetLaunch {
    private static final Duration REGISTER_DEADLINE = Duration.ofMinutes(6);

    private final FleetPlan plan;
    private final LaunchOptions options;
    private final LaunchListener listener;
    private @Nullable FleetReservation reservation;
    private @Nullable ServerGroup servers;
    private @Nullable RouterGroup router;
    private @Nullable Gateway gateway;

    FleetLaunch(FleetPlan plan, LaunchOptions options) {
        this.plan = plan;
        this.options = options;
        this.listener = new SerialListener(options.listener());
    }

    Fleet run() {
        try {
            FleetReservation bundles = reserve();
            reservation = bundles;
            start(bundles);
            return new Fleet(
                    plan, bundles, servers, router, options.groupOptions().supervision(), gateway);
        } catch (RuntimeException | Error failure) {
            takeBack(failure);
            throw failure;
        }
    }

    private FleetReservation reserve() {
        String what = "reserving " + plan.bundles().size() + " bundle(s) in placement group '" + plan.fleetName() + "'";
        try (Step step = Step.begin(listener, LaunchPhase.RESERVE, what)) {
            return FleetReservation.reserve(
                    plan, options.reserveDeadline(), message -> step.note(message), new RayLedger());
        }
    }

    private void start(FleetReservation bundles) {
        GroupOptions groupOptions = withJobJars(options.groupOptions());
        List<CompletableFuture<?>> registered;
        try (Step step = Step.begin(listener, LaunchPhase.START, describeStart())) {
            if (plan.router().isPresent()) {
                router = RouterGroup.create(plan, bundles.placementGroup(), groupOptions);
            }
            if (!plan.engines().isEmpty()) {
                servers = ServerGroup.create(plan, bundles.placementGroup(), groupOptions);
            }
            StartOrder order = StartOrder.of(plan.engines());
            if (order.rounds() > 1) {
                step.note("engines that share an accelerator start one after the other");
            }
            CompletableFuture<?> routerReady = startRouter(router);
            List<CompletableFuture<?>> enginesReady = startEngines(servers, order);
            // After the others, which take longer to start.
            if (options.pythonGateway() && (servers != null || router != null)) {
                gateway = Gateway.open(facts(bundles), servers, router).orElse(null);
            }
            registered = register(routerReady, enginesReady, servers, router);
            List<CompletableFuture<?>> started = new ArrayList<>(enginesReady);
            started.add(routerReady);
            // An engine that the router refuses must not wait for its siblings to be told.
            await(
                    started,
                    registered,
                    order.longest(groupOptions.serverHealthTimeout()).plus(LaunchOptions.ACTOR_ALLOWANCE),
                    "started");
        }
        if (!registered.isEmpty()) {
            String what = "registering " + registered.size() + " engine(s) with the router";
            try (Step step = Step.begin(listener, LaunchPhase.REGISTER, what)) {
                await(registered, List.of(), REGISTER_DEADLINE, "registered");
            }
        }
    }

    private GatewayFacts facts(FleetReservation bundles) {
        GatewayFacts.Group group = plan.bundles().isEmpty()
                ? null
                : new GatewayFacts.Group(
                        bundles.placementGroup().getId().toString(),
                        plan.group().name());
        return new GatewayFacts(
                servers == null ? null : servers.name(),
                router == null ? null : router.name(),
                group,
                plan.engines().stream()
                        .map(engine -> new GatewayFacts.Engine(
                                engine.rank(),
                                engine.bundleIndex(),
                                engine.node().ip()))
                        .toList());
    }

    // In a submitted job, nodes other than the driver's get our classes from the job's working directory.
    private static GroupOptions withJobJars(GroupOptions given) {
        return given.javaJars().isEmpty()
                ? RaySession.current()
                        .workerJarUri()
                        .map(uri -> given.withJavaJars(List.of(uri)))
                        .orElse(given)
                : given;
    }

    private String describeStart() {
        List<String> parts = new ArrayList<>();
        if (!plan.engines().isEmpty()) {
            parts.add(plan.engines().size() + " engine(s)");
        }
        if (plan.router().isPresent()) {
            parts.add("the router");
        }
        return "starting " + String.join(" and ", parts);
    }

    private CompletableFuture<?> startRouter(@Nullable RouterGroup group) {
        if (group == null) {
            return CompletableFuture.completedFuture("none");
        }
        return group.initRouter()
                .toCompletableFuture()
                .thenAccept(urls -> listener.workerReady(group.name() + ":0", urls.get(0), 1, 1));
    }

    private List<CompletableFuture<?>> startEngines(@Nullable ServerGroup group, StartOrder order) {
        if (group == null) {
            return List.of();
        }
        AtomicInteger ready = new AtomicInteger();
        return order.start(rank -> group.on(rank)
                .initServer()
                .toCompletableFuture()
                .thenAccept(urls -> listener.workerReady(
                        group.name() + ":" + rank, urls.get(0), ready.incrementAndGet(), group.size())));
    }

    // An engine need not wait for its slower siblings: it is registered when it and the router are healthy.
    private static List<CompletableFuture<?>> register(
            CompletableFuture<?> routerReady,
            List<CompletableFuture<?>> enginesReady,
            @Nullable ServerGroup servers,
            @Nullable RouterGroup router) {
        List<CompletableFuture<?>> registered = new ArrayList<>();
        if (servers != null && router != null) {
            for (int i = 0; i < enginesReady.size(); i++) {
                int rank = servers.ranks().get(i);
                registered.add(CompletableFuture.allOf(routerReady, enginesReady.get(i))
                        .thenCompose(both -> servers.on(rank).endpoints().toCompletableFuture())
                        .thenCompose(endpoints ->
                                router.registerServer(endpoints.get(0)).toCompletableFuture()));
            }
        }
        return registered;
    }

    /** Waits for all of some; the first failure among them or among the watched ends the wait. */
    private static void await(
            List<CompletableFuture<?>> wanted, List<CompletableFuture<?>> watched, Duration deadline, String what) {
        CompletableFuture<Object> failed = new CompletableFuture<>();
        for (List<CompletableFuture<?>> futures : List.of(wanted, watched)) {
            for (CompletableFuture<?> future : futures) {
                CompletableFuture<?> unused = future.exceptionally(failure -> {
                    failed.completeExceptionally(failure);
                    return null;
                });
            }
        }
        CompletableFuture<?> done =
                CompletableFuture.anyOf(CompletableFuture.allOf(wanted.toArray(CompletableFuture<?>[]::new)), failed);
        try {
            done.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LaunchException("the launch was interrupted; what it had started is ended", e);
        } catch (TimeoutException e) {
            throw new LaunchException(
                    "engines and router were not all " + what + " within " + deadline.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            throw unchecked(e.getCause() == null ? e : e.getCause());
        }
    }

    private static RuntimeException unchecked(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof RuntimeException known
                ? known
                : new LaunchException("the launch failed: " + cause, cause);
    }

    private void takeBack(Throwable failure) {
        try {
            Fleet.end(servers, router, reservation, gateway);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
