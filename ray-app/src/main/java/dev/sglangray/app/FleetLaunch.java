/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.autoscaling.Autoscaler;
import dev.sglangray.app.dashboard.Dashboard;
import dev.sglangray.app.dashboard.DashboardSettings;
import dev.sglangray.app.gateway.Gateway;
import dev.sglangray.app.gateway.GatewayException;
import dev.sglangray.app.metrics.FleetMetrics;
import dev.sglangray.app.metrics.MetricsSettings;
import dev.sglangray.app.monitor.FleetFeed;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.app.monitor.ListenAddress;
import dev.sglangray.app.monitor.OwnerUrls;
import dev.sglangray.app.monitor.TrainerReports;
import dev.sglangray.app.session.DriverNode;
import dev.sglangray.app.session.RayLedger;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.app.tracing.FleetTracer;
import dev.sglangray.config.error.Secrets;
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
import io.ray.api.Ray;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One launch of one plan: reserve, start, register, or take everything back. For one use by one thread.
 */
final class FleetLaunch {
    private static final String API_KEY = "api_key";
    private static final String LAUNCH = "launch";
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
    private final FleetSpec spec;
    private final TrainerReports reports = new TrainerReports(step -> tell(opened -> opened.reported(step)));
    private volatile @Nullable FleetMonitor monitor;
    private OwnerUrls urls = OwnerUrls.NONE;
    private final LaunchListener steps = new Steps();

    /** For those that watch the fleet. */
    private final class Steps implements LaunchListener {
        @Override
        public void started(LaunchPhase phase, String what) {
            tell(opened -> opened.phaseBegan(phase.label(), what));
        }

        @Override
        public void ended(LaunchPhase phase, Duration took) {
            tell(opened -> opened.phase(phase.label(), took));
        }

        @Override
        public void workerReady(String worker, String url, int ready, int of) {
            tell(opened -> opened.workerReady(worker, url));
        }
    }

    private @Nullable Gateway gateway;

    FleetLaunch(
            PlanRequest request,
            Cluster cluster,
            FleetPlan plan,
            LaunchOptions options,
            GroupOptions groupOptions,
            FleetSpec spec,
            LaunchContext context) {
        this.request = request;
        this.cluster = cluster;
        this.plan = plan;
        this.options = options;
        this.groupOptions = withJobJars(groupOptions);
        this.spec = spec;
        this.context = context;
        this.listener = new SerialListener(context.listener(), steps);
    }

    Fleet run() {
        try {
            openMonitor(LAUNCH);
            FleetReservation bundles = reserve();
            reservation = bundles;
            start(bundles);
            Fleet fleet = serving(bundles);
            tell(opened -> opened.launched(Optional.empty()));
            return fleet;
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
            tell(opened -> opened.launched(Optional.empty()));
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
        openMonitor("take over");
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
            kept.observe(steps, this::scaled);
            kept.launched(() -> {
                save(kept.state(plan));
                if (told != null) {
                    told.tell(FleetFacts.of(plan, bundles, urls, kept.where()));
                }
            });
            FleetMonitor opened = monitor;
            if (opened != null && !spec.owner().autoscaling().isEmpty()) {
                opened.add(new Autoscaler(spec.owner().autoscaling(), kept, opened, InstantSource.system()));
            }
            if (policy.replans()) {
                // What moves engines is no change of size, which the steps are for.
                watch = new LostNodeReplanner(kept, policy.nodeLoss(), context.listener());
                watch.start();
            }
        } else {
            save(provisioner(0).state(plan, Map.of(), List.of()));
        }
        return new Fleet(plan, bundles, engines, router, policy, gateway, watch, monitor, urls, reports);
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
                EngineStarter.await(
                        registered, List.of(), EngineStarter.registerDeadline(registered.size()), "registered");
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
                            router,
                            reports)
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
    private void openMonitor(String begin) {
        FleetSpec.OwnerSettings owner = spec.owner();
        MetricsSettings metrics = owner.metrics();
        DashboardSettings dashboard = owner.dashboard();
        if (owner.equals(FleetSpec.OwnerSettings.NONE)) {
            return;
        }
        FleetMonitor opened = new FleetMonitor(new FleetFeed(sources()), InstantSource.system());
        monitor = opened;
        if (owner.tracing() != null) {
            opened.add(FleetTracer.open(owner.tracing(), spec.groupName(), begin, InstantSource.system()));
        }
        String node = DriverNode.address().orElse(ListenAddress.DEFAULT.host());
        urls = new OwnerUrls(null, null, node);
        if (metrics != null) {
            Optional<FleetMetrics> served =
                    opened(begin, "metrics", metrics.address(), () -> openMetrics(metrics, node));
            served.ifPresent(endpoint -> {
                opened.add(endpoint);
                urls = new OwnerUrls(endpoint.url(), null, node);
                LOG.info("metrics are served at {}/metrics", endpoint.url());
            });
        }
        if (dashboard != null) {
            Optional<Dashboard> served = opened(
                    begin,
                    DashboardSettings.KEY,
                    dashboard.address(),
                    () -> openDashboard(dashboard, node, opened::soon));
            served.ifPresent(page -> show(opened, page, node));
        }
        opened.start();
    }

    private void show(FleetMonitor opened, Dashboard page, String node) {
        opened.add(page);
        urls = new OwnerUrls(urls.metrics(), page.url(), node);
        LOG.info("the fleet's page is at {}", page.url());
        boolean open = key() == null && !page.loopback();
        listener.note(
                LaunchPhase.RESERVE,
                "the fleet's page: " + page.url()
                        + (open ? " (for every program that reaches it: set api_key to ask for a key)" : ""));
    }

    /** What opens a server. */
    @FunctionalInterface
    private interface Opening<T> {
        T open() throws IOException;
    }

    /** A launch fails where it cannot be served. A fleet that is taken over goes on without: it may be on another node now. */
    private static <T> Optional<T> opened(String begin, String key, ListenAddress address, Opening<T> opening) {
        try {
            return Optional.of(opening.open());
        } catch (IOException e) {
            LaunchException failure = new LaunchException(
                    "%s cannot be served at %s, port %d: %s; see the keys host and port of %s"
                            .formatted(
                                    key.equals(DashboardSettings.KEY) ? "the fleet's page" : key,
                                    address.host(),
                                    address.port(),
                                    e.getMessage(),
                                    key),
                    e);
            if (begin.equals(LAUNCH)) {
                throw failure;
            }
            LOG.warn("the fleet is taken over without it", failure);
            return Optional.empty();
        }
    }

    private FleetMetrics openMetrics(MetricsSettings settings, String node) throws IOException {
        FleetMetrics.Facts facts = new FleetMetrics.Facts(
                spec.groupName(),
                node,
                plan.router().orElse(null),
                pool -> groupOptions.pool(pool).supervision(),
                groupOptions.supervision());
        return FleetMetrics.open(settings, facts, InstantSource.system());
    }

    private Dashboard openDashboard(DashboardSettings settings, String node, Runnable look) throws IOException {
        Dashboard.Facts facts = new Dashboard.Facts(
                spec.groupName(),
                Ray.getRuntimeContext().getNamespace(),
                node,
                key(),
                urls.metrics(),
                spec.configuration());
        return Dashboard.open(settings, facts, InstantSource.system(), look);
    }

    /** What guards the router, else the engines; null for nothing. */
    private @Nullable String key() {
        Object key = plan.router()
                .map(router -> router.routerArgs().get(API_KEY))
                .orElseGet(() -> plan.engines().stream()
                        .map(engine -> engine.serverArgs().get(API_KEY))
                        .filter(Objects::nonNull)
                        .findFirst()
                        .orElse(null));
        return key == null || key.equals("") ? null : String.valueOf(key);
    }

    private FleetFeed.Fleet sources() {
        Map<String, Integer> planned = FleetEngines.perPool(plan.engines());
        return new FleetFeed.Fleet(
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

    private static String firstLine(Throwable failure) {
        return failure.getClass().getSimpleName()
                + ": "
                + Secrets.inText(
                        String.valueOf(failure.getMessage()).lines().findFirst().orElse(""));
    }

    private void tell(Consumer<FleetMonitor> what) {
        FleetMonitor opened = monitor;
        if (opened != null) {
            what.accept(opened);
        }
    }

    private void scaled(String pool, boolean up, boolean done) {
        tell(opened -> opened.scaled(pool, up, done));
    }

    private void closeMonitor() {
        tell(FleetMonitor::close);
    }

    private void takeBack(Throwable failure) {
        tell(opened -> opened.launched(Optional.of(firstLine(failure))));
        closeMonitor();
        try {
            Fleet.end(engines, router, reservation, gateway);
        } catch (RuntimeException e) {
            failure.addSuppressed(e);
        }
    }
}
