/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.gateway.Gateway;
import dev.sglangray.app.session.RayLedger;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.placement.Cluster;
import dev.sglangray.placement.FleetPlan;
import dev.sglangray.placement.PlanRequest;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * One launch of one plan: reserve, start, register, or take everything back. For one use by one thread.
 */
final class FleetLaunch {
    private final PlanRequest request;
    private final Cluster cluster;
    private final FleetPlan plan;
    private final LaunchOptions options;
    private final LaunchListener listener;
    private @Nullable FleetReservation reservation;
    private @Nullable FleetEngines engines;
    private @Nullable RouterGroup router;
    private @Nullable Gateway gateway;

    FleetLaunch(PlanRequest request, Cluster cluster, FleetPlan plan, LaunchOptions options) {
        this.request = request;
        this.cluster = cluster;
        this.plan = plan;
        this.options = options;
        this.listener = new SerialListener(options.listener());
    }

    Fleet run() {
        try {
            FleetReservation bundles = reserve();
            reservation = bundles;
            start(bundles);
            SupervisionPolicy policy = options.groupOptions().supervision();
            NodeLossWatch watch = null;
            if (engines != null) {
                engines.launched();
                if (policy.replans()) {
                    watch = new NodeLossWatch(engines, policy.nodeLoss(), listener);
                    watch.start();
                }
            }
            return new Fleet(plan, bundles, engines, router, policy, gateway, watch);
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
            ServerGroup servers =
                    plan.engines().isEmpty() ? null : ServerGroup.create(plan, bundles.placementGroup(), groupOptions);
            if (servers != null) {
                engines = new FleetEngines(
                        new EngineBuilder(request, cluster, plan, options, groupOptions, router),
                        plan,
                        bundles,
                        servers);
            }
            CompletableFuture<?> routerReady = startRouter(router);
            List<CompletableFuture<?>> enginesReady =
                    servers == null ? List.of() : EngineStart.start(servers, listener);
            // After the others, which take longer to start.
            if (options.pythonGateway() && (servers != null || router != null)) {
                gateway = openGateway(bundles);
            }
            registered = EngineStart.register(routerReady, enginesReady, servers, router);
            List<CompletableFuture<?>> started = new ArrayList<>(enginesReady);
            started.add(routerReady);
            // An engine that the router refuses must not wait for its siblings to be told.
            EngineStart.await(
                    started,
                    registered,
                    EngineStart.longest(plan.engines(), groupOptions.serverHealthTimeout())
                            .plus(LaunchOptions.ACTOR_ALLOWANCE),
                    "started");
        }
        if (!registered.isEmpty()) {
            String what = "registering " + registered.size() + " engine(s) with the router";
            try (Step step = Step.begin(listener, LaunchPhase.REGISTER, what)) {
                EngineStart.await(registered, List.of(), EngineStart.REGISTER_DEADLINE, "registered");
            }
        }
    }

    private @Nullable Gateway openGateway(FleetReservation bundles) {
        FleetEngines kept = engines;
        Gateway opened = Gateway.open(FleetFacts.of(plan, bundles), new GatewayOwner(kept, router))
                .orElse(null);
        if (opened != null && kept != null) {
            kept.whenChanged(() -> opened.tell(FleetFacts.of(plan, bundles, kept.where())));
        }
        return opened;
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

    private void takeBack(Throwable failure) {
        try {
            Fleet.end(engines, router, reservation, gateway);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
