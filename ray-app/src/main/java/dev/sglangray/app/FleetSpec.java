/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.session.ProgramFiles;
import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.GroupSettingsReader;
import dev.sglangray.placement.strategy.ComponentPlacement;
import dev.sglangray.placement.strategy.PlacementStrategy;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import dev.sglangray.workers.supervision.SupervisionPolicyReader;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A fleet as a configuration describes it, bound: what {@link SGLangLauncher} launches. Immutable.
 *
 * @param root the whole configuration
 * @param clusterConfig its section {@code cluster}
 * @param component the key under {@code cluster.component_placement}; empty when no engine is launched
 * @param block the block with {@code server} and {@code router}
 * @param arguments the same, bound
 * @param groupSettings how the block wants placement groups used
 * @param supervision how the block wants engines and router looked after
 * @param explicitPlacement whether the component's own strategy places the engines, instead of packing its ranks
 * @param given where the engines go instead of where the component says, or null
 */
public record FleetSpec(
        Config root,
        ClusterConfig clusterConfig,
        String component,
        Config block,
        LauncherArgs arguments,
        GroupSettings groupSettings,
        SupervisionPolicy supervision,
        boolean explicitPlacement,
        @Nullable EnginePlacement given) {
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
        private static final EnginePlacement NONE = new EnginePlacement(List.of(), null, null);
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
        return new FleetSpec(
                root,
                cluster,
                arguments.launchServer() ? selection.component(root) : "",
                block,
                arguments,
                GroupSettingsReader.read(block),
                SupervisionPolicyReader.read(block),
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
                groupSettings,
                supervision,
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
        ConfigException.throwIfErrors(PlacementCheck.of(
                root,
                clusterConfig,
                component,
                arguments,
                options.withSettingsOf(this).groupSettings(),
                explicitPlacement,
                options.routerNodeRank()));
    }

    /** The arguments of engines and router against what the Python of the options, else this program's, accepts. */
    List<ConfigProblem> argumentProblems(LaunchOptions options) {
        String python = Objects.requireNonNullElseGet(options.pythonInterpreter(), ProgramFiles::defaultPython);
        return ArgumentSchemas.check(block, arguments, kind -> ArgumentSchemas.find(kind, python));
    }

    /** Ranks a cluster's nodes by this configuration. */
    public Cluster cluster(ClusterSnapshot snapshot) {
        return Cluster.of(clusterConfig, snapshot);
    }

    /**
     * Where the engines go on a cluster.
     *
     * @throws dev.sglangray.placement.PlacementException when the placement does not fit the cluster
     */
    EnginePlacement place(Cluster cluster) {
        if (given != null || !arguments.launchServer()) {
            return given == null ? EnginePlacement.NONE : given;
        }
        ComponentPlacement placement = ComponentPlacement.of(clusterConfig, cluster);
        List<String> groups = placement.getNodeGroups(component);
        return explicitPlacement
                ? new EnginePlacement(groups, null, placement.getStrategy(component))
                : new EnginePlacement(groups, placement.getHardwareRanks(component), null);
    }
}
