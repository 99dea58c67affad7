/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.config.Config;
import dev.sglangray.config.WholeNumber;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.cluster.ComponentConfig;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.launcher.EnginePool;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.cluster.AcceleratorType;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.ClusterSnapshot;
import dev.sglangray.placement.cluster.NodeSnapshot;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.strategy.ComponentPlacement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Finds placements that no cluster of {@code num_nodes} could give: what is refused both where every node has plenty of
 * accelerators and where none has any is wrong in itself, and so are arguments that lead an engine beyond its own accelerators. The rest is
 * for {@code plan}, which sees the real cluster.
 */
final class PlacementCheck {
    /** More than any machine has; with many nodes fewer, so that expanding {@code all} stays cheap. */
    private static final int PLENTY = 64;

    private static final int FEW = 16;
    private static final int MANY_NODES = 256;
    private static final int MOST_NODES = 20_000;

    private PlacementCheck() {}

    static List<ConfigProblem> of(
            Config root,
            ClusterConfig cluster,
            @Nullable FleetSpec spec,
            @Nullable GroupSettings settings,
            int routerNodeRank) {
        // Groups that are chosen by what nodes were started with have members in a real cluster only.
        boolean byNodes = cluster.nodeGroups().stream()
                .anyMatch(group -> group.nodeRanks().value() instanceof Map<?, ?>);
        if (cluster.numNodes() > MOST_NODES || byNodes) {
            return List.of();
        }
        // An existing group is on a real cluster only.
        GroupSettings groups = settings == null || settings.existing().isPresent() ? GroupSettings.DEFAULT : settings;
        int wanted = cluster.numNodes() > MANY_NODES ? FEW : PLENTY;
        int plenty = (int) Math.min(1_000_000L / cluster.numNodes(), perNode(spec, wanted));
        Tried tried = attempt(cluster, plenty, spec, groups, routerNodeRank);
        if (tried.plan() != null && spec != null) {
            return PlanCheck.engines(spec, tried.plan());
        }
        PlacementException refusal = tried.refusal();
        if (refusal == null || attempt(cluster, 0, spec, groups, routerNodeRank).refusal() == null) {
            return List.of();
        }
        return List.of(problem(root, cluster, spec, refusal));
    }

    /** So many accelerators that each pool's engines fill nodes, and span as many as they say. */
    private static long perNode(@Nullable FleetSpec spec, int wanted) {
        long common = 1;
        for (EnginePool pool : spec == null ? List.<EnginePool>of() : spec.pools()) {
            int width = Math.max(1, pool.arguments().acceleratorsPerEngine().orElse(1));
            int spanned = WholeNumber.of(pool.arguments().server().values().get("nnodes"))
                    .orElse(1);
            if (spanned > 1) {
                // On nodes with more an engine would not span as many as it is to.
                return Math.max(1, width / spanned);
            }
            common = Math.max(common, width);
        }
        return (wanted + common - 1) / common * common;
    }

    /** A plan, a refusal, or neither where too little is known for a plan. */
    private record Tried(@Nullable FleetPlan plan, @Nullable PlacementException refusal) {}

    private static Tried attempt(
            ClusterConfig config,
            int accelerators,
            @Nullable FleetSpec spec,
            GroupSettings settings,
            int routerNodeRank) {
        try {
            Cluster cluster = Cluster.of(config, snapshot(config.numNodes(), accelerators));
            if (spec == null) {
                ComponentPlacement.of(config, cluster);
                return new Tried(null, null);
            }
            PlanRequest.Builder plan = PlanRequest.builder(cluster)
                    .fleetName("check")
                    .acrossNodes()
                    .routerNodeRank(routerNodeRank)
                    .groupSettings(settings);
            spec.addTo(plan, cluster);
            try {
                return new Tried(FleetPlanner.plan(plan.build()), null);
            } catch (PlacementException e) {
                // Engines of several sizes may fit nodes that differ as they do, and none that are alike.
                return new Tried(null, sizes(spec) > 1 ? null : e);
            }
        } catch (PlacementException e) {
            return new Tried(null, e);
        }
    }

    private static long sizes(FleetSpec spec) {
        return spec.pools().stream()
                .map(pool -> pool.arguments().acceleratorsPerEngine())
                .distinct()
                .count();
    }

    private static ClusterSnapshot snapshot(int nodes, int accelerators) {
        AcceleratorType type = accelerators > 0 ? AcceleratorType.NV_GPU : AcceleratorType.NO_ACCEL;
        List<NodeSnapshot> snapshots = new ArrayList<>();
        for (int rank = 0; rank < nodes; rank++) {
            snapshots.add(NodeSnapshot.of("node-" + rank, "node-" + rank, accelerators, type, "", rank));
        }
        return new ClusterSnapshot(snapshots, "node-0");
    }

    private static ConfigProblem problem(
            Config root, ClusterConfig cluster, @Nullable FleetSpec spec, PlacementException refusal) {
        String who = refusal.component().orElse("");
        boolean engines = spec != null && who.startsWith(spec.arguments().groupName());
        Optional<EnginePool> pool = spec == null
                ? Optional.empty()
                : spec.pools().stream()
                        .filter(candidate ->
                                who.equals(PlanRequest.poolName(spec.arguments().groupName(), candidate.name())))
                        .findFirst();
        String component =
                spec == null ? null : pool.flatMap(EnginePool::component).orElse(spec.component());
        Optional<ComponentConfig> entry = cluster.componentPlacement().stream()
                .filter(candidate -> engines ? places(candidate, component) : who.startsWith(candidate.name()))
                .max(Comparator.comparingInt(candidate -> candidate.name().length()));
        String key = entry.map(found -> "cluster.component_placement." + found.name())
                .orElse(who.contains("node group") || who.contains("node_group") ? "cluster.node_groups" : "cluster");
        SourcePosition position = entry.map(ComponentConfig::position)
                .or(() -> root.select(key).map(Config::position))
                .orElse(cluster.position());
        boolean labels = refusal.getMessage() != null && refusal.getMessage().contains("Node groups:");
        // The nodes and accelerators of the message are those made up here.
        String message = String.valueOf(refusal.getMessage())
                .replaceFirst("(?s)\\s+(Nodes|Accelerators|Node groups):.*", "")
                .replace(" (" + position + ")", "");
        return ConfigProblem.error(position, key, "fits no cluster of " + cluster.numNodes() + " nodes: " + message)
                .withAllowed(
                        labels
                                ? refusal.available().stream()
                                        .map(line -> line.replaceFirst(" \\(.*", ""))
                                        .toList()
                                : List.of());
    }

    private static boolean places(ComponentConfig entry, @Nullable String component) {
        return Arrays.stream(entry.name().split(",", -1))
                .anyMatch(name -> name.strip().equals(component));
    }
}
