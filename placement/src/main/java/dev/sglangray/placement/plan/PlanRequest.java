/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.config.launcher.RouterType;
import dev.sglangray.placement.OrderedMap;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.Suggestions;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.strategy.PlacementStrategy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a fleet should be. Immutable; made by {@link #builder(Cluster)}.
 *
 * @param cluster the cluster
 * @param fleetName the fleet's name
 * @param namespace the Ray namespace
 * @param pools the pools of engines to launch; empty for none
 * @param routerOrNull the router to launch, or null for none
 * @param routerNodeRank the node of the router
 * @param cpusPerActor Ray CPUs to reserve for each engine and the router
 * @param groupSettings how the fleet uses placement groups
 * @param existingOrNull the existing placement group as it is, or null
 * @param acrossNodes whether an engine may span nodes; in RLinf none does
 */
public record PlanRequest(
        Cluster cluster,
        String fleetName,
        String namespace,
        List<Pool> pools,
        @Nullable Router routerOrNull,
        int routerNodeRank,
        double cpusPerActor,
        GroupSettings groupSettings,
        @Nullable ExistingGroup existingOrNull,
        boolean acrossNodes) {
    /** Starts a request for a fleet on a cluster. */
    public static Builder builder(Cluster cluster) {
        return new Builder(cluster);
    }

    /** Copies the list. */
    public PlanRequest {
        pools = List.copyOf(pools);
    }

    /**
     * Engines that are alike, to launch.
     *
     * @param acceleratorsPerEngine the width of an engine, 1 or more; only used with hardware ranks
     * @param arguments SGLang's arguments
     */
    public record Server(
            String groupName, String serverType, int acceleratorsPerEngine, Map<String, @Nullable Object> arguments) {}

    /**
     * Where and how the engines of a pool are launched.
     *
     * @param name the pool's name; empty for the only one of a fleet that names no pools
     * @param server what its engines are
     * @param environment variables of its engines over those of their node groups
     * @param ranksOrNull the hardware ranks to pack engines on, or null with a strategy
     * @param strategyOrNull the strategy that places the engines, or null
     * @param nodeGroups the node groups that the ranks count in; empty for the whole cluster
     */
    public record Pool(
            String name,
            Server server,
            Map<String, String> environment,
            @Nullable List<Integer> ranksOrNull,
            @Nullable PlacementStrategy strategyOrNull,
            List<String> nodeGroups) {
        /** Copies lists and map. */
        public Pool {
            environment = OrderedMap.copyOf(environment);
            ranksOrNull = ranksOrNull == null ? null : List.copyOf(ranksOrNull);
            nodeGroups = List.copyOf(nodeGroups);
        }
    }

    /**
     * The router to launch.
     *
     * @param type which router it is, {@code sglang-router} or {@code smg}; null for the one that is installed
     */
    public record Router(String groupName, @Nullable String type, Map<String, @Nullable Object> arguments) {}

    /** What the engines of the first pool are; empty when there are none. */
    public Optional<Server> server() {
        return pools.stream().findFirst().map(Pool::server);
    }

    /**
     * A pool by its name.
     *
     * @throws PlacementException when there is none of it, with those that there are
     */
    public Pool pool(String name) {
        return pools.stream()
                .filter(pool -> pool.name().equals(name))
                .findFirst()
                .orElseThrow(() -> {
                    List<String> names = pools.stream().map(Pool::name).toList();
                    return PlacementException.builder("there is no pool '%s'".formatted(name))
                            .available("Pools", names)
                            .fix(Suggestions.didYouMean(name, names))
                            .build();
                });
    }

    /** What refusals call a pool: the engines' group, with the pool's name if it has one. */
    public static String poolName(String groupName, String pool) {
        return groupName + (pool.isEmpty() ? "" : ", pool " + pool);
    }

    Optional<Router> router() {
        return Optional.ofNullable(routerOrNull);
    }

    /** The placement group for the processes: an existing one, or one of the fleet's own with this name. */
    GroupPlan group(String ownName) {
        return existingGroup()
                .<GroupPlan>map(existing -> new GroupPlan.Existing(existing.name(), existing.namespaceName()))
                .orElseGet(() -> new GroupPlan.Own(ownName, groupSettings.strategy()));
    }

    Optional<ExistingGroup> existingGroup() {
        return Optional.ofNullable(existingOrNull);
    }

    /** The same request, with the existing placement group as it is now. */
    public PlanRequest withExistingGroup(ExistingGroup group) {
        return new PlanRequest(
                cluster,
                fleetName,
                namespace,
                pools,
                routerOrNull,
                routerNodeRank,
                cpusPerActor,
                groupSettings,
                group,
                acrossNodes);
    }

    /** Collects a request. Not thread-safe. */
    public static final class Builder {
        private final Cluster cluster;
        private String fleetName = "sglang";
        private String namespace = "sglang_ray";
        private final List<Pool> pools = new ArrayList<>();
        private @Nullable Server server;
        private @Nullable Router router;
        private @Nullable List<Integer> hardwareRanks;
        private @Nullable PlacementStrategy strategy;
        private List<String> nodeGroups = List.of();
        private int routerNodeRank;
        private double cpusPerActor;
        private GroupSettings groupSettings = GroupSettings.DEFAULT;
        private @Nullable ExistingGroup existingGroup;
        private boolean acrossNodes;

        private Builder(Cluster cluster) {
            this.cluster = cluster;
        }

        /** The fleet's name, {@code sglang} unless set. */
        public Builder fleetName(String name) {
            this.fleetName = name;
            return this;
        }

        /** The Ray namespace, which engines learn as CLUSTER_NAMESPACE; {@code sglang_ray} unless set. */
        public Builder namespace(String name) {
            this.namespace = name;
            return this;
        }

        /**
         * Launches a server group.
         *
         * @param acceleratorsPerEngine the width of an engine, 1 or more; only used with {@link #hardwareRanks}
         */
        public Builder server(
                String groupName,
                String serverType,
                int acceleratorsPerEngine,
                Map<String, @Nullable Object> arguments) {
            this.server = new Server(groupName, serverType, acceleratorsPerEngine, OrderedMap.copyOf(arguments));
            return this;
        }

        /**
         * Launches one more pool of engines. Not used together with {@link #server}, {@link #hardwareRanks}, {@link #strategy} and
         * {@link #nodeGroups}, which describe the only pool of a fleet that names no pools.
         */
        public Builder pool(Pool pool) {
            pools.add(pool);
            return this;
        }

        /** Launches what the launcher's block asks for: a server group, a router, or both. */
        public Builder arguments(LauncherArgs arguments) {
            if (arguments.launchServer()) {
                server(
                        arguments.groupName(),
                        arguments.serverType().configName(),
                        arguments.acceleratorsPerEngine().orElse(0),
                        arguments.server().values());
            }
            if (arguments.launchRouter()) {
                router(
                        arguments.routerGroupName(),
                        arguments.routerType(),
                        arguments.router().values());
            }
            return this;
        }

        /** Launches the router that is installed. */
        public Builder router(String groupName, Map<String, @Nullable Object> arguments) {
            return router(groupName, null, arguments);
        }

        /** Launches a router of a type; null for the one that is installed. */
        public Builder router(String groupName, @Nullable RouterType type, Map<String, @Nullable Object> arguments) {
            this.router = new Router(groupName, type == null ? null : type.configName(), OrderedMap.copyOf(arguments));
            return this;
        }

        /** The hardware ranks to pack engines on; they must be contiguous. Not used when there is a {@link #strategy}. */
        public Builder hardwareRanks(List<Integer> ranks) {
            this.hardwareRanks = List.copyOf(ranks);
            return this;
        }

        /** The strategy that places the engines, used as it is. */
        public Builder strategy(PlacementStrategy placementStrategy) {
            this.strategy = placementStrategy;
            return this;
        }

        /** The node groups that {@link #hardwareRanks} are counted in; the whole cluster unless set. */
        public Builder nodeGroups(List<String> labels) {
            this.nodeGroups = List.copyOf(labels);
            return this;
        }

        /** The node of the router, by its rank in the cluster; 0 unless set. */
        public Builder routerNodeRank(int rank) {
            this.routerNodeRank = rank;
            return this;
        }

        /** Ray CPUs to reserve for each engine and the router, 0 or more; 0 unless set, as an engine's load is not Ray's. */
        public Builder cpusPerActor(double cpus) {
            this.cpusPerActor = cpus;
            return this;
        }

        /** How the fleet uses placement groups; {@link GroupSettings#DEFAULT} unless set. */
        public Builder groupSettings(GroupSettings settings) {
            this.groupSettings = settings;
            return this;
        }

        /** The existing placement group that the settings name, as it is now. */
        public Builder existingGroup(ExistingGroup group) {
            this.existingGroup = group;
            return this;
        }

        /**
         * Lets an engine span nodes, in equal parts, where it needs more accelerators than a node has or its arguments name
         * {@code nnodes}. Unless set such a placement is refused, as RLinf refuses it.
         */
        public Builder acrossNodes() {
            this.acrossNodes = true;
            return this;
        }

        /** Makes the request. */
        public PlanRequest build() {
            List<Pool> all = new ArrayList<>(pools);
            if (server != null) {
                all.add(0, new Pool("", server, Map.of(), hardwareRanks, strategy, nodeGroups));
            }
            return new PlanRequest(
                    cluster,
                    fleetName,
                    namespace,
                    all,
                    router,
                    routerNodeRank,
                    cpusPerActor,
                    groupSettings,
                    existingGroup,
                    acrossNodes);
        }
    }
}
