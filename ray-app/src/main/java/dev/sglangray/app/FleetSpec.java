/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.autoscaling.AutoscalingReader;
import dev.sglangray.app.autoscaling.AutoscalingSettings;
import dev.sglangray.app.dashboard.DashboardSettings;
import dev.sglangray.app.metrics.MetricsSettings;
import dev.sglangray.app.session.ProgramFiles;
import dev.sglangray.app.tracing.TracingSettings;
import dev.sglangray.config.Config;
import dev.sglangray.config.Fields;
import dev.sglangray.config.TreeView;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.config.launcher.ExternalEngine;
import dev.sglangray.config.launcher.FleetModels;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.GroupSettingsReader;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.rank.AcceleratorIds;
import dev.sglangray.placement.strategy.ComponentPlacement;
import dev.sglangray.placement.strategy.PlacementStrategy;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.protocol.ExternalServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.ServerUrl;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import dev.sglangray.workers.supervision.SupervisionPolicyReader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A fleet as a configuration describes it, bound: what {@link SGLangLauncher} launches. Immutable.
 *
 * @param root the whole configuration
 * @param clusterConfig its section {@code cluster}
 * @param component the key under {@code cluster.component_placement}; empty when no engine is launched
 * @param block the block with {@code server} and {@code router}
 * @param arguments the same, bound
 * @param pools its pools of engines; empty for a fleet without engines
 * @param groupSettings how the block wants placement groups used
 * @param supervision how the block wants engines and router looked after
 * @param owner what the block wants of the owner besides
 * @param explicitPlacement whether the component's own strategy places the engines, instead of packing its ranks
 * @param given where the engines go instead of where the component says, or null
 */
public record FleetSpec(
        Config root,
        ClusterConfig clusterConfig,
        String component,
        Config block,
        LauncherArgs arguments,
        List<EnginePool> pools,
        GroupSettings groupSettings,
        SupervisionPolicy supervision,
        OwnerSettings owner,
        boolean explicitPlacement,
        @Nullable EnginePlacement given) {
    /**
     * What the fleet's owner does besides keeping the fleet.
     *
     * @param metrics how it serves metrics; null for not at all
     * @param dashboard how it serves the fleet's page; null for not at all
     * @param tracing where it sends traces; null for nowhere
     * @param autoscaling how the engines of pools follow their load, by the pool's name; empty for not at all
     */
    public record OwnerSettings(
            @Nullable MetricsSettings metrics,
            @Nullable DashboardSettings dashboard,
            @Nullable TracingSettings tracing,
            Map<String, AutoscalingSettings> autoscaling) {
        /** Nothing. */
        public static final OwnerSettings NONE = new OwnerSettings(null, null, null, Map.of());

        /** Copies the map. */
        public OwnerSettings {
            autoscaling = Collections.unmodifiableMap(new LinkedHashMap<>(autoscaling));
        }

        /**
         * Reads the launcher's block and its pools.
         *
         * @throws ConfigException that lists every fault
         */
        static OwnerSettings read(
                Config block, LauncherArgs arguments, List<EnginePool> pools, GroupSettings groupSettings) {
            Fields fields = new Fields();
            OwnerSettings settings = new OwnerSettings(
                    optional(fields, () -> MetricsSettings.read(block)),
                    optional(fields, () -> DashboardSettings.read(block)),
                    optional(fields, () -> TracingSettings.read(block)),
                    fields.attempt(
                            () -> AutoscalingReader.read(
                                    block,
                                    arguments,
                                    pools,
                                    groupSettings.acceleratorIds() != AcceleratorIds.TRUST_CONFIG),
                            Map.of()));
            ConfigException.throwIfErrors(fields.problems());
            return settings;
        }

        private static <T> @Nullable T optional(Fields fields, Supplier<Optional<T>> reader) {
            return fields.attempt(reader, Optional.<T>empty()).orElse(null);
        }
    }

    /**
     * Where engines go: on hardware ranks that they are packed on, or as a strategy says.
     *
     * @param nodeGroups the node groups that ranks count in, in order; none means the whole cluster
     * @param hardwareRanks flat ranks, which must be contiguous; null with a strategy, or without engines
     * @param strategy places the engines as it is, or null
     */
    public record EnginePlacement(
            List<String> nodeGroups,
            @Nullable List<Integer> hardwareRanks,
            @Nullable PlacementStrategy strategy) {
        /** Copies the lists. */
        public EnginePlacement {
            nodeGroups = List.copyOf(nodeGroups);
            hardwareRanks = hardwareRanks == null ? null : List.copyOf(hardwareRanks);
        }
    }

    /**
     * Finds the usual component and block in a configuration and binds them.
     *
     * @throws ConfigException that lists every fault of the configuration
     */
    public static FleetSpec of(Config root) {
        return of(root, FleetSelection.USUAL);
    }

    /**
     * Binds what a selection names.
     *
     * @throws ConfigException that lists every fault of the configuration
     */
    public static FleetSpec of(Config root, FleetSelection selection) {
        ClusterConfig cluster = ClusterConfig.from(root);
        Config block = selection.block(root);
        LauncherArgs arguments = LauncherArgs.from(block);
        List<EnginePool> pools = EnginePool.of(root, block, arguments);
        GroupSettings groupSettings = GroupSettingsReader.read(block);
        return new FleetSpec(
                root,
                cluster,
                pools.stream().anyMatch(pool -> pool.component().isEmpty()) ? selection.component(root) : "",
                block,
                arguments,
                pools,
                groupSettings,
                SupervisionPolicyReader.read(block),
                OwnerSettings.read(block, arguments, pools, groupSettings),
                selection.explicitPlacement(),
                null);
    }

    /** The same fleet with its engines elsewhere than where the component says. */
    public FleetSpec withPlacement(EnginePlacement placement) {
        return new FleetSpec(
                root,
                clusterConfig,
                component,
                block,
                arguments,
                pools,
                groupSettings,
                supervision,
                owner,
                explicitPlacement,
                placement);
    }

    /** What selects this fleet in its configuration. */
    public FleetSelection selection() {
        return new FleetSelection(component.isEmpty() ? null : component, block.path(), explicitPlacement);
    }

    /** The name of the engines' group; empty for a fleet without engines. */
    public Optional<String> serverGroup() {
        return Optional.of(arguments).filter(LauncherArgs::launchServer).map(LauncherArgs::groupName);
    }

    /** The name of the router's group; empty for a fleet without a router. */
    public Optional<String> routerGroup() {
        return Optional.of(arguments).filter(LauncherArgs::launchRouter).map(LauncherArgs::routerGroupName);
    }

    /** The name that the fleet goes by: its server group's, or its router group's where it has no engines. */
    public String groupName() {
        return serverGroup().orElse(arguments.routerGroupName());
    }

    /**
     * Refuses what a launch would refuse on any cluster: arguments that the Python in use does not take, settings of the block,
     * placements that no cluster of {@code num_nodes} could give.
     *
     * @throws ConfigException with the place of what is wrong
     */
    public void requireLaunchable(LaunchOptions options) {
        ConfigException.throwIfErrors(argumentProblems(options));
        var unused = groupOptions(options, false);
        ConfigException.throwIfErrors(PlacementCheck.of(
                root, clusterConfig, this, options.withSettingsOf(this).groupSettings(), options.routerNodeRank()));
    }

    /** The arguments of engines and router against what the Python of the options, else this program's, accepts. */
    List<ConfigProblem> argumentProblems(LaunchOptions options) {
        String python = Objects.requireNonNullElseGet(options.pythonInterpreter(), ProgramFiles::defaultPython);
        return ArgumentSchemas.check(pools, arguments, kind -> ArgumentSchemas.find(kind, python));
    }

    /** Ranks a cluster's nodes by this configuration. */
    public Cluster cluster(ClusterSnapshot snapshot) {
        return Cluster.of(clusterConfig, snapshot);
    }

    /**
     * Adds engines and router to a request, placed on its cluster.
     *
     * @throws PlacementException when the placement does not fit the cluster
     * @throws ConfigException when a pool asks for what its component has not
     */
    void addTo(PlanRequest.Builder request, Cluster cluster) {
        List<EnginePlacement> places = place(cluster);
        for (int i = 0; i < pools.size(); i++) {
            EnginePool pool = pools.get(i);
            EnginePlacement place = places.get(i);
            request.pool(new PlanRequest.Pool(
                    pool.name(),
                    new PlanRequest.Server(
                            arguments.groupName(),
                            pool.arguments().serverType().configName(),
                            pool.arguments().acceleratorsPerEngine().orElse(0),
                            pool.arguments().server().values()),
                    pool.environment(),
                    place.hardwareRanks(),
                    place.strategy(),
                    place.nodeGroups()));
        }
        if (arguments.launchRouter()) {
            request.router(arguments.routerGroupName(), arguments.routerType(), models().routerArguments(arguments));
        }
    }

    /** What of the configuration is the fleet's: the section {@code cluster} and the block, with origins and without secrets. */
    public List<TreeView.Row> configuration() {
        return Stream.of(root.require("cluster"), block)
                .flatMap(part -> TreeView.of(part).rows().stream())
                .toList();
    }

    /** Which models it serves. */
    public FleetModels models() {
        return FleetModels.of(arguments, pools);
    }

    /**
     * The options of its groups, with what its pools and external engines say. What a launch is given of supervision holds for all
     * pools.
     *
     * @throws ConfigException when a pool's supervision or an external engine's URL is wrong
     */
    GroupOptions groupOptions(LaunchOptions options, boolean detached) {
        SupervisionPolicy given = options.supervision();
        Map<String, GroupOptions.PoolOptions> byPool = new HashMap<>();
        for (EnginePool pool : pools) {
            SupervisionPolicy own = given == null ? SupervisionPolicyReader.read(pool) : given;
            byPool.put(pool.name(), new GroupOptions.PoolOptions(own, pool.updateWeights()));
        }
        return options.withSettingsOf(this).groupOptions(byPool, externalServers(), detached);
    }

    private List<ExternalServer> externalServers() {
        FleetModels models = models();
        Set<String> urls = new HashSet<>();
        List<ExternalServer> servers = new ArrayList<>();
        for (ExternalEngine engine : models.externalEngines()) {
            String url = url(engine);
            if (!urls.add(url)) {
                throw new ConfigException(
                        engine.settings().require("url").error("there are two items for one engine, " + url));
            }
            boolean updated = engine.weightVersion() == null
                    && engine.model().filter(models::updates).isPresent();
            ServerEndpoint endpoint = new ServerEndpoint(
                    url,
                    engine.workerType().configName(),
                    engine.bootstrapPort(),
                    engine.apiKey(),
                    null,
                    null,
                    0,
                    engine.modelName(),
                    updated);
            servers.add(new ExternalServer(endpoint, engine.weightVersion()));
        }
        return servers;
    }

    private static String url(ExternalEngine engine) {
        try {
            return ServerUrl.of(engine.url());
        } catch (IllegalArgumentException e) {
            throw new ConfigException(engine.settings().require("url").error(String.valueOf(e.getMessage())));
        }
    }

    /** Where the engines of each pool go on a cluster. */
    private List<EnginePlacement> place(Cluster cluster) {
        if (pools.isEmpty()) {
            return List.of();
        }
        EnginePlacement elsewhere = given;
        if (elsewhere != null) {
            if (pools.size() > 1) {
                throw PlacementException.of(
                        "the engines of several pools cannot be placed by one list of ranks or strategy");
            }
            return List.of(elsewhere);
        }
        ComponentPlacement placement = ComponentPlacement.of(clusterConfig, cluster);
        Map<String, Integer> taken = new HashMap<>();
        List<EnginePlacement> places = new ArrayList<>();
        for (EnginePool pool : pools) {
            String name = pool.component().orElse(component);
            List<String> groups = placement.getNodeGroups(name);
            if (explicitPlacement) {
                requireAlone(pool, name);
                places.add(new EnginePlacement(groups, null, placement.getStrategy(name)));
                continue;
            }
            List<Integer> ranks =
                    placement.getHardwareRanks(name).stream().sorted().toList();
            int first = taken.getOrDefault(name, 0);
            int width = Math.max(1, pool.arguments().acceleratorsPerEngine().orElse(1));
            long wanted = pool.engines().isPresent() ? (long) pool.engines().getAsInt() * width : ranks.size() - first;
            int count = (int) Math.min(wanted, Integer.MAX_VALUE / 2);
            if (count < 1 || first + count > ranks.size()) {
                throw PlacementException.of(
                                "asks for %s of %d accelerator(s), and component '%s' has %d rank(s) left for it"
                                        .formatted(
                                                pool.engines().isPresent()
                                                        ? pool.engines().getAsInt() + " engine(s)"
                                                        : "engines",
                                                width,
                                                name,
                                                ranks.size() - first))
                        .inside(PlanRequest.poolName(arguments.groupName(), pool.name()));
            }
            taken.put(name, first + count);
            places.add(new EnginePlacement(groups, ranks.subList(first, first + count), null));
        }
        return places;
    }

    private void requireAlone(EnginePool pool, String name) {
        boolean shared = pools.stream()
                .anyMatch(other -> !other.name().equals(pool.name())
                        && other.component().orElse(component).equals(name));
        if (shared || pool.engines().isPresent()) {
            throw new ConfigException(at(pool, shared ? "component" : "engines")
                    .error("component '%s' places its engines by itself, with --explicit-placement, so that %s"
                            .formatted(
                                    name,
                                    shared
                                            ? "each pool needs a component of its own"
                                            : "the placement says how many engines there are")));
        }
    }

    private Config at(EnginePool pool, String key) {
        Config settings = pool.settings();
        return settings == null ? block : settings.select(key).orElse(settings);
    }
}
