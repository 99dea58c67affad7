/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import dev.sglangray.config.LauncherArgs;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a fleet should be. Immutable; made by {@link #builder(Cluster)}.
 *
 * <p>The server group is launched when {@link Builder#server} was called, the router when {@link Builder#router} was.
 */
public final class PlanRequest {
    private final Builder from;

    private PlanRequest(Builder from) {
        this.from = from;
    }

    /** Starts a request for a fleet on a cluster. */
    public static Builder builder(Cluster cluster) {
        return new Builder(cluster);
    }

    /** The server group to launch. */
    record Server(
            String groupName, String serverType, int acceleratorsPerEngine, Map<String, @Nullable Object> arguments) {}

    /** The router to launch. */
    record Router(String groupName, Map<String, @Nullable Object> arguments) {}

    Cluster cluster() {
        return from.cluster;
    }

    String fleetName() {
        return from.fleetName;
    }

    String namespace() {
        return from.namespace;
    }

    Optional<Server> server() {
        return Optional.ofNullable(from.server);
    }

    Optional<Router> router() {
        return Optional.ofNullable(from.router);
    }

    Optional<List<Integer>> hardwareRanks() {
        return Optional.ofNullable(from.hardwareRanks);
    }

    Optional<PlacementStrategy> strategy() {
        return Optional.ofNullable(from.strategy);
    }

    List<String> nodeGroups() {
        return from.nodeGroups;
    }

    int routerNodeRank() {
        return from.routerNodeRank;
    }

    GroupStrategy groupStrategy() {
        return from.groupStrategy;
    }

    Optional<ExistingGroup> existingGroup() {
        return Optional.ofNullable(from.existingGroup);
    }

    double acceleratorShare() {
        return from.acceleratorShare;
    }

    Map<String, Double> bundleRest() {
        return from.bundleRest;
    }

    double cpusPerActor() {
        return from.cpusPerActor;
    }

    List<String> warnings() {
        return from.warnings;
    }

    /** Collects a request. Not thread-safe. */
    public static final class Builder {
        private final Cluster cluster;
        private String fleetName = "sglang";
        private String namespace = "sglang_ray";
        private @Nullable Server server;
        private @Nullable Router router;
        private @Nullable List<Integer> hardwareRanks;
        private @Nullable PlacementStrategy strategy;
        private List<String> nodeGroups = List.of();
        private int routerNodeRank;
        private double cpusPerActor;
        private List<String> warnings = List.of();
        private GroupStrategy groupStrategy = GroupStrategy.PACK;
        private @Nullable ExistingGroup existingGroup;
        private double acceleratorShare = 1;
        private Map<String, Double> bundleRest = Map.of();

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
                router(arguments.routerGroupName(), arguments.router().values());
            }
            return this;
        }

        /** Launches a router. */
        public Builder router(String groupName, Map<String, @Nullable Object> arguments) {
            this.router = new Router(groupName, OrderedMap.copyOf(arguments));
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

        /** How the bundles of the fleet's own placement group lie; {@link GroupStrategy#PACK} unless set. */
        public Builder groupStrategy(GroupStrategy strategy) {
            this.groupStrategy = strategy;
            return this;
        }

        /** Places the fleet into a placement group that somebody else made. */
        public Builder existingGroup(ExistingGroup group) {
            this.existingGroup = group;
            return this;
        }

        /**
         * How much of its accelerator an engine takes, for Ray's accounts; the rest is for somebody else, such as a trainer.
         * For engines of one accelerator only: Ray shares no others.
         *
         * @param share above 0 and at most 1; 1 unless set
         * @throws PlacementException when it is not
         */
        public Builder acceleratorShare(double share) {
            if (!(share > 0 && share <= 1)) {
                throw PlacementException.builder(
                                "an accelerator share must be above 0 and at most 1, not " + ResourceText.number(share))
                        .seen(share)
                        .build();
            }
            this.acceleratorShare = share;
            return this;
        }

        /**
         * What each bundle with accelerators holds beside its engine, by Ray's names, for actors of others that are placed
         * into the fleet's group; nothing unless set. With an {@link #acceleratorShare} of 0.2, {@code GPU 0.8} leaves the rest
         * of the same device to them.
         */
        public Builder bundleRest(Map<String, Double> resources) {
            this.bundleRest = OrderedMap.copyOf(resources);
            return this;
        }

        /** What the user should be told with the plan. */
        public Builder warnings(List<String> lines) {
            this.warnings = List.copyOf(lines);
            return this;
        }

        /** Makes the request. */
        public PlanRequest build() {
            Builder copy = new Builder(cluster);
            copy.fleetName = fleetName;
            copy.namespace = namespace;
            copy.server = server;
            copy.router = router;
            copy.hardwareRanks = hardwareRanks;
            copy.strategy = strategy;
            copy.nodeGroups = nodeGroups;
            copy.routerNodeRank = routerNodeRank;
            copy.cpusPerActor = cpusPerActor;
            copy.warnings = warnings;
            copy.groupStrategy = groupStrategy;
            copy.existingGroup = existingGroup;
            copy.acceleratorShare = acceleratorShare;
            copy.bundleRest = bundleRest;
            return new PlanRequest(copy);
        }
    }
}
