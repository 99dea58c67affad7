/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.strategy.ComponentPlacement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a driver script does between its configuration and the launcher, in one piece: which component says where the
 * engines run, which block says how they are started, and what follows for a cluster. Immutable.
 *
 * @param root the whole configuration
 * @param component the key under {@code cluster.component_placement}; empty when no engine is launched
 * @param block the block with {@code server} and {@code router}
 * @param arguments the same, bound
 * @param explicitPlacement whether the component's own strategy places the engines, instead of packing its ranks
 */
public record FleetSpec(
        Config root, String component, Config block, LauncherArgs arguments, boolean explicitPlacement) {
    private static final String PLACEMENT = "cluster.component_placement";
    private static final String USUAL_COMPONENT = "rollout";
    private static final String USUAL_BLOCK = "router_server_args";

    /**
     * Finds component and block in a configuration and binds them.
     *
     * @param component the component's name, or null for the only one, else {@code rollout}
     * @param argsKey the block's dotted key, or null for {@code router_server_args}, else the only block of that form
     * @throws ConfigException with all that is wrong
     */
    public static FleetSpec of(
            Config root, @Nullable String component, @Nullable String argsKey, boolean explicitPlacement) {
        ClusterConfig.from(root);
        Config block = block(root, argsKey);
        LauncherArgs arguments = LauncherArgs.from(block);
        String chosen = arguments.launchServer() ? component(root, component) : "";
        return new FleetSpec(root, chosen, block, arguments, explicitPlacement);
    }

    /**
     * Refuses what a launch would refuse on any cluster: arguments that the Python in use does not take, settings of the block,
     * placements that no cluster of {@code num_nodes} could give.
     *
     * @throws ConfigException with the place of what is wrong
     */
    public void requireLaunchable(LaunchOptions options) {
        ArgumentCheck.of(block, arguments, options).throwIfWrong();
        LaunchOptions settled = options.withSettingsOf(block, arguments);
        GroupSettings settings = settled.groupSettings()
                .filter(read -> read.existing().isEmpty())
                .orElse(GroupSettings.DEFAULT);
        FleetCheck.Request request = new FleetCheck.Request(
                component, null, explicitPlacement, options.routerNodeRank(), null, false, Map.of());
        ConfigException.throwIfErrors(
                PlacementCheck.of(root, ClusterConfig.from(root), component, arguments, settings, request));
    }

    /** Ranks a cluster's nodes by this configuration. */
    public Cluster cluster(ClusterSnapshot snapshot) {
        return Cluster.of(ClusterConfig.from(root), snapshot);
    }

    /**
     * The options with what the component's placement adds: node groups, or its strategy.
     *
     * @throws dev.sglangray.placement.PlacementException when the placement does not fit the cluster
     */
    public Placed place(Cluster cluster, LaunchOptions.Builder options) {
        if (!arguments.launchServer()) {
            return new Placed(null, options.build());
        }
        ComponentPlacement placement = ComponentPlacement.of(root, cluster);
        options.rolloutNodeGroups(placement.getNodeGroups(component));
        if (explicitPlacement) {
            options.placementStrategy(placement.getStrategy(component));
            return new Placed(null, options.build());
        }
        return new Placed(placement.getHardwareRanks(component), options.build());
    }

    /**
     * Where the engines go.
     *
     * @param hardwareRanks flat ranks, or null when a strategy in the options or nothing places engines
     * @param options the options to launch with
     */
    public record Placed(@Nullable List<Integer> hardwareRanks, LaunchOptions options) {}

    /** The plan for a cluster. */
    public FleetPlan plan(Cluster cluster, LaunchOptions.Builder options) {
        Placed placed = place(cluster, options);
        return SGLangLauncher.plan(
                cluster, placed.hardwareRanks(), arguments, placed.options().withSettingsOf(block, arguments));
    }

    /** Launches on the cluster that this JVM is connected to; see {@link SGLangLauncher#launchRouterAndServer}. */
    public Fleet launch(Cluster cluster, LaunchOptions.Builder options) {
        Placed placed = place(cluster, options);
        return SGLangLauncher.launchRouterAndServer(cluster, placed.hardwareRanks(), block, placed.options());
    }

    /**
     * Takes over a fleet of this configuration that runs without an owner: its processes keep running, and what is returned owns
     * them.
     *
     * @param state where its processes are
     * @param living the ranks whose workers live there
     * @throws RuntimeException when that is not possible; the fleet is then as it was
     */
    public Fleet adopt(FleetState state, Collection<Integer> living, LaunchOptions.Builder options) {
        ClusterConfig config = ClusterConfig.from(root);
        Cluster launched = Cluster.known(config, state.nodes().subList(0, state.launched()), state.launched());
        Placed placed = place(launched, options);
        return SGLangLauncher.adopt(
                launched,
                Cluster.known(config, state.nodes(), state.launched()),
                placed.hardwareRanks(),
                block,
                placed.options(),
                state,
                living);
    }

    static String component(Config root, @Nullable String wanted) {
        Optional<Config> found = root.select(PLACEMENT).filter(Config::isMap);
        if (found.isEmpty()) {
            throw problem(root, PLACEMENT, "is missing: it says where the engines run, as in rollout: all");
        }
        Config placement = found.get();
        List<String> names = placement.keys().stream()
                .flatMap(key -> List.of(key.split(",")).stream())
                .map(String::strip)
                .collect(Collectors.toList());
        if (wanted != null && !names.contains(wanted)) {
            throw problem(
                    placement,
                    PLACEMENT,
                    "has no component '" + wanted + "'; it has " + String.join(", ", names)
                            + NearestName.didYouMean(wanted, names));
        }
        if (wanted != null) {
            return wanted;
        }
        if (names.size() == 1) {
            return names.get(0);
        }
        if (names.contains(USUAL_COMPONENT)) {
            return USUAL_COMPONENT;
        }
        throw problem(
                placement,
                PLACEMENT,
                "has several components (" + String.join(", ", names)
                        + ") and none is called rollout; name the engines' one with --component");
    }

    static Config block(Config root, @Nullable String argsKey) {
        return argsKey == null ? usualBlock(root) : namedBlock(root, argsKey);
    }

    private static Config namedBlock(Config root, String key) {
        Optional<Config> block = root.select(key);
        if (block.isEmpty()) {
            throw problem(
                    root,
                    key,
                    "is not in the configuration; its top-level keys are " + String.join(", ", root.keys())
                            + NearestName.didYouMean(key, root.keys()));
        }
        return block.get();
    }

    private static Config usualBlock(Config root) {
        Optional<Config> usual = root.select(USUAL_BLOCK).filter(Config::isMap);
        if (usual.isPresent()) {
            return usual.get();
        }
        List<String> candidates = new ArrayList<>();
        for (String key : root.keys()) {
            if (isMap(root, key) && (isMap(root, key + ".server") || isMap(root, key + ".router"))) {
                candidates.add(key);
            }
        }
        if (candidates.size() == 1) {
            return root.require(candidates.get(0));
        }
        throw problem(
                root,
                USUAL_BLOCK,
                candidates.isEmpty()
                        ? "is missing, and no other block has server or router in it; top-level keys are "
                                + String.join(", ", root.keys())
                        : "is missing, and several blocks could be meant (" + String.join(", ", candidates)
                                + "); name one with --args-key");
    }

    private static boolean isMap(Config root, String path) {
        return root.select(path).filter(Config::isMap).isPresent();
    }

    private static ConfigException problem(Config at, String key, String message) {
        return new ConfigException(ConfigProblem.error(at.position(), key, message));
    }
}
