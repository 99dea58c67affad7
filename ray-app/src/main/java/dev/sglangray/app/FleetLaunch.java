/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.autoscaling.Autoscaler;
import dev.sglangray.app.gateway.Gateway;
import dev.sglangray.app.gateway.GatewayException;
import dev.sglangray.app.metrics.FleetMetrics;
import dev.sglangray.app.metrics.MetricsSettings;
import dev.sglangray.app.monitor.FleetFeed;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.app.monitor.OwnerUrls;
import dev.sglangray.app.session.DriverNode;
import dev.sglangray.app.session.RayLedger;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.GroupPlan;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.plan.RouterPlan;
import dev.sglangray.placement.ray.FleetReservation;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One launch of one plan: reserve, start, register, or take everything back. For one use by one thread.
 */
final class FleetLaunch {
    private static final Logger LOG = LoggerFactory.getLogger(FleetLaunch.class);

    private final PlanRequest request;
    private final Cluster cluster;
    private final FleetPlan plan;
    private final LaunchOptions options;
    private final GroupOptions groupOptions;
    private final LaunchContext context;
    private final LaunchListener listener;
    private @Nullable FleetReservation reservation;
    private volatile @Nullable FleetEngines engines;
    private volatile @Nullable RouterGroup router;
    private final FleetSpec.OwnerSettings owner;
    private volatile @Nullable FleetMonitor monitor;
    private OwnerUrls urls = OwnerUrls.NONE;
    private @Nullable Gateway gateway;

    FleetLaunch(
            PlanRequest request,
            Cluster cluster,
            FleetPlan plan,
            LaunchOptions options,
            GroupOptions groupOptions,
            FleetSpec.OwnerSettings owner,
            LaunchContext context) {
        this.request = request;
        this.cluster = cluster;
        this.plan = plan;
        this.options = options;
        this.groupOptions = withJobJars(groupOptions);
        this.owner = owner;
        this.context = context;
        this.listener = new SerialListener(context.listener(), this::phase);
    }

    Fleet run() {
        try {
            openMonitor();
            FleetReservation bundles = reserve();
            reservation = bundles;
            start(bundles);
            return serving(bundles);
        } catch (RuntimeException failure) {
            // Before the clean-up ends what is left on purpose.
            RuntimeException told = DeliberateEnd.explain(failure);
            takeBack(told);
            throw told;
        } catch (Error failure) {
            takeBack(failure);
            throw failure;
        }
    }

    /**
     * Takes over a fleet whose owner is gone. Nothing of it is restarted; missing engines start as after the loss of a node.
     *
     * @param living the ranks whose workers live where the state says
     * @throws RuntimeException when that is not possible; the fleet is then as it was
     */
    Fleet adopt(FleetState state, Collection<Integer> living) {
        boolean done = false;
        try {
            Fleet adopted = takeOver(state, living);
            done = true;
            return adopted;
        } finally {
            if (!done) {
                closeMonitor();
            }
        }
    }

    private Fleet takeOver(FleetState state, Collection<Integer> living) {
        Map<String, FleetReservation> reservations = new HashMap<>();
        FleetReservation launch = FleetReservation.adopt(plan.group(), new RayLedger());
        reservations.put(plan.group().name(), launch);
        router = plan.router()
                .flatMap(wanted -> RouterGroup.find(wanted.groupName()))
                .orElse(null);
        if (!plan.engines().isEmpty()) {
            List<EngineSlot> taken = new ArrayList<>();
            List<EngineSlot> idle = new ArrayList<>();
            for (int i = 0; i < plan.engines().size(); i++) {
                FleetState.Seat seat = state.seats().get(i);
                EnginePlan engine = plan.engines().get(i);
                FleetReservation reservation = reservations.computeIfAbsent(
                        seat.group(), name -> FleetReservation.adopt(group(name), new RayLedger()));
                boolean lives = seat.taken() && living.contains(engine.rank());
                (lives ? taken : idle).add(new EngineSlot(engine, reservation));
            }
            String name = plan.engines().get(0).groupName();
            ServerGroup found = ServerGroup.find(name, living)
                    .orElseThrow(() -> new LaunchException("no engine of '" + name + "' lives"));
            List<Integer> others = found.ranks().stream()
                    .filter(rank -> !living.contains(rank))
                    .toList();
            engines = new FleetEngines(
                    provisioner(state.changes()),
                    new EngineSlots(launch, taken, idle),
                    found.without(others),
                    state.wanted());
        }
        // Not before: what is missing counts as missing from the first look on.
        openMonitor();
        if (options.pythonGateway()) {
            gateway = openGateway(launch);
        }
        return serving(launch);
    }

    private EngineProvisioner provisioner(int groups) {
        return new EngineProvisioner(
                request, cluster, plan, options, groupOptions, context.groupCreator(), router, groups);
    }

    private GroupPlan group(String name) {
        return plan.group() instanceof GroupPlan.Own own ? new GroupPlan.Own(name, own.strategy()) : plan.group();
    }

    private Fleet serving(FleetReservation bundles) {
        SupervisionPolicy policy = groupOptions.supervision();
        LostNodeReplanner watch = null;
        FleetEngines kept = engines;
        if (kept != null) {
            Gateway told = gateway;
            save(kept.state(plan));
            kept.observe(this::phase, this::scaled);
            kept.launched(() -> {
                save(kept.state(plan));
                if (told != null) {
                    told.tell(FleetFacts.of(plan, bundles, urls, kept.where()));
                }
            });
            FleetMonitor opened = monitor;
            if (opened != null && !owner.autoscaling().isEmpty()) {
                opened.add(new Autoscaler(owner.autoscaling(), kept, opened, InstantSource.system()));
            }
            if (policy.replans()) {
                watch = new LostNodeReplanner(kept, policy.nodeLoss(), listener);
                watch.start();
            }
        } else {
            save(provisioner(0).state(plan, Map.of(), List.of()));
        }
        return new Fleet(plan, bundles, engines, router, policy, gateway, watch, monitor, urls);
    }

    private void save(FleetState state) {
        RecordStore<FleetState> store = context.record();
        if (store != null) {
            store.save(state).join();
        }
    }

    private FleetReservation reserve() {
        String what = "reserving " + plan.bundles().size() + " bundle(s) in placement group '" + plan.fleetName() + "'";
        try (Step step = Step.begin(listener, LaunchPhase.RESERVE, what)) {
            return FleetReservation.reserve(
                    plan,
                    options.reserveTimeout(),
                    message -> step.note(message),
                    new RayLedger(),
                    context.groupCreator(),
                    () -> false);
        }
    }

    private void start(FleetReservation bundles) {
        List<CompletableFuture<?>> registered;
        try (Step step = Step.begin(listener, LaunchPhase.START, describeStart())) {
            if (plan.router().isPresent()) {
                router = RouterGroup.create(plan, bundles.placementGroup(), groupOptions);
            }
            ServerGroup servers =
                    plan.engines().isEmpty() ? null : ServerGroup.create(plan, bundles.placementGroup(), groupOptions);
            if (servers != null) {
                engines = new FleetEngines(provisioner(0), plan, bundles, servers);
            }
            CompletableFuture<?> routerReady = startRouter(router);
            List<CompletableFuture<?>> enginesReady =
                    servers == null ? List.of() : EngineStarter.start(servers, listener);
            // After the others, which take longer to start; not later, so that a taken name ends the launch before they
            // have.
            if (options.pythonGateway() && (servers != null || router != null)) {
                gateway = openGateway(bundles);
            }
            registered = EngineStarter.register(routerReady, enginesReady, servers, router);
            List<CompletableFuture<?>> started = new ArrayList<>(enginesReady);
            started.add(routerReady);
            // An engine that the router refuses must not wait for its siblings.
            EngineStarter.await(
                    started,
                    registered,
                    EngineStarter.timeout(plan.engines(), groupOptions.serverHealthTimeout())
                            .plus(LaunchOptions.ACTOR_ALLOWANCE),
                    "started");
        }
        if (!registered.isEmpty()) {
            String what = "registering " + registered.size() + " engine(s) with the router";
            try (Step step = Step.begin(listener, LaunchPhase.REGISTER, what)) {
                EngineStarter.await(registered, List.of(), EngineStarter.REGISTER_DEADLINE, "registered");
            }
        }
    }

    private @Nullable Gateway openGateway(FleetReservation bundles) {
        FleetEngines kept = engines;
        try {
            return Gateway.open(
                            kept == null
                                    ? FleetFacts.of(plan, bundles, urls)
                                    : FleetFacts.of(plan, bundles, urls, kept.where()),
                            kept,
                            router)
                    .orElse(null);
        } catch (GatewayException e) {
            throw new LaunchException(String.valueOf(e.getMessage()), e);
        }
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

    /** Before anything else, so that a port that is taken ends the launch at once. */
    private void openMonitor() {
        MetricsSettings settings = owner.metrics();
        if (settings == null && owner.autoscaling().isEmpty()) {
            return;
        }
        FleetMonitor opened = new FleetMonitor(feed(), InstantSource.system());
        monitor = opened;
        if (settings != null) {
            FleetMetrics served = openMetrics(settings);
            opened.add(served);
            urls = new OwnerUrls(served.url(), null);
        }
        opened.start();
    }

    private FleetMetrics openMetrics(MetricsSettings settings) {
        FleetMetrics.Facts facts = new FleetMetrics.Facts(
                name(),
                DriverNode.address().orElse(settings.host()),
                plan.router().orElse(null),
                pool -> groupOptions.pool(pool).supervision(),
                groupOptions.supervision());
        try {
            FleetMetrics opened = FleetMetrics.open(settings, facts, InstantSource.system());
            LOG.info("metrics are served at {}/metrics", opened.url());
            return opened;
        } catch (IOException e) {
            throw new LaunchException(
                    "metrics cannot be served at " + settings.host() + ", port " + settings.port() + ": "
                            + e.getMessage() + "; see the keys host and port of metrics",
                    e);
        }
    }

    private String name() {
        return plan.engines().isEmpty()
                ? plan.router().map(RouterPlan::groupName).orElse(plan.fleetName())
                : plan.engines().get(0).groupName();
    }

    private FleetFeed feed() {
        Map<String, Integer> planned = FleetEngines.perPool(plan.engines());
        return new FleetFeed(
                () -> {
                    FleetEngines now = engines;
                    return now == null ? null : now.servers();
                },
                plan.router().map(RouterPlan::actorName).orElse(null),
                () -> router,
                () -> {
                    FleetEngines now = engines;
                    return now == null
                            ? List.of()
                            : now.where().stream().map(EngineSlot::engine).toList();
                },
                () -> {
                    FleetEngines now = engines;
                    return now == null ? planned : now.wanted();
                });
    }

    private void phase(LaunchPhase phase, Duration took) {
        FleetMonitor opened = monitor;
        if (opened != null) {
            opened.phase(phase.label(), took);
        }
    }

    private void scaled(String pool, boolean up, boolean done) {
        FleetMonitor opened = monitor;
        if (opened != null) {
            opened.scaled(pool, up, done);
        }
    }

    private void closeMonitor() {
        FleetMonitor opened = monitor;
        if (opened != null) {
            opened.close();
        }
    }

    private void takeBack(Throwable failure) {
        closeMonitor();
        try {
            Fleet.end(engines, router, reservation, gateway);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
