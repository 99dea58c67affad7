/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.config.Config;
import dev.sglangray.config.launcher.AdvertiseHost;
import dev.sglangray.config.launcher.BindHost;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.GroupSettingsReader;
import dev.sglangray.placement.ray.GroupCreator;
import dev.sglangray.placement.strategy.PlacementStrategy;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import dev.sglangray.workers.supervision.SupervisionPolicyReader;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a fleet is launched; everything has a default. Immutable; safe for use by several threads.
 *
 * <p>The first three are RLinf's keyword arguments of the same meaning.
 */
public final class LaunchOptions {
    /** How long Ray may take to set the bundles aside; a cluster that grows on demand needs minutes. */
    public static final Duration DEFAULT_RESERVE_DEADLINE = Duration.ofMinutes(5);

    /** Time for an actor's JVM to start and for a lost call to be noticed, on top of the engine's own deadline. */
    static final Duration ACTOR_ALLOWANCE = Duration.ofMinutes(2);

    private final Builder from;

    private LaunchOptions(Builder from) {
        this.from = from.copy();
    }

    /** Starts with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** All defaults. */
    public static LaunchOptions defaults() {
        return builder().build();
    }

    List<String> rolloutNodeGroups() {
        return from.rolloutNodeGroups;
    }

    Optional<PlacementStrategy> placementStrategy() {
        return Optional.ofNullable(from.placementStrategy);
    }

    int routerNodeRank() {
        return from.routerNodeRank;
    }

    Optional<String> fleetName() {
        return Optional.ofNullable(from.fleetName);
    }

    Duration reserveDeadline() {
        return from.reserveDeadline;
    }

    GroupOptions groupOptions() {
        GroupOptions options = from.groupOptions;
        if (from.supervision != null) {
            options = options.withSupervision(from.supervision);
        }
        if (from.bindHost != null) {
            options = options.withBindHost(from.bindHost);
        }
        return from.advertiseHost == null ? options : options.withAdvertiseHost(from.advertiseHost);
    }

    LaunchListener listener() {
        return from.listener;
    }

    Optional<String> pythonInterpreter() {
        return Optional.ofNullable(from.pythonInterpreter);
    }

    Optional<GroupSettings> groupSettings() {
        return Optional.ofNullable(from.groupSettings);
    }

    /** These options with the settings of a block and of what was read of it, unless they have some already. */
    LaunchOptions withSettingsOf(Config block, LauncherArgs arguments) {
        Builder settled = from.copy();
        if (settled.groupSettings == null) {
            settled.groupSettings(GroupSettingsReader.read(block));
        }
        if (settled.bindHost == null) {
            settled.bindHost(arguments.bindHost());
        }
        if (settled.advertiseHost == null) {
            settled.advertiseHost = arguments.advertiseHost();
        }
        if (settled.supervision == null) {
            settled.supervision(SupervisionPolicyReader.read(block));
        }
        return settled.build();
    }

    Optional<String> namespace() {
        return Optional.ofNullable(from.namespace);
    }

    boolean pythonGateway() {
        return from.pythonGateway;
    }

    /** Where the fleet is written down; null for nowhere. */
    @Nullable
    RecordStore<FleetState> record() {
        return from.record;
    }

    GroupCreator groupCreator() {
        // Not a field's default: its constant needs Ray's classes, which a plan from a file does without.
        return from.groupCreator == null ? GroupCreator.OF_THIS_PROCESS : from.groupCreator;
    }

    double cpusPerActor() {
        return from.cpusPerActor;
    }

    /** Collects options. Not safe for use by several threads. */
    public static final class Builder {
        private List<String> rolloutNodeGroups = List.of();
        private @Nullable PlacementStrategy placementStrategy;
        private int routerNodeRank;
        private @Nullable String fleetName;
        private Duration reserveDeadline = DEFAULT_RESERVE_DEADLINE;
        private GroupOptions groupOptions = GroupOptions.defaults();
        private LaunchListener listener = LaunchListener.NONE;
        private @Nullable String pythonInterpreter;
        private double cpusPerActor;
        private boolean pythonGateway = true;
        private @Nullable RecordStore<FleetState> record;
        private @Nullable GroupCreator groupCreator;
        private @Nullable String namespace;
        private @Nullable GroupSettings groupSettings;
        private @Nullable SupervisionPolicy supervision;
        private @Nullable BindHost bindHost;
        private @Nullable String advertiseHost;

        private Builder() {}

        private Builder copy() {
            Builder copy = new Builder();
            copy.rolloutNodeGroups = rolloutNodeGroups;
            copy.placementStrategy = placementStrategy;
            copy.routerNodeRank = routerNodeRank;
            copy.fleetName = fleetName;
            copy.reserveDeadline = reserveDeadline;
            copy.groupOptions = groupOptions;
            copy.listener = listener;
            copy.pythonInterpreter = pythonInterpreter;
            copy.cpusPerActor = cpusPerActor;
            copy.pythonGateway = pythonGateway;
            copy.record = record;
            copy.groupCreator = groupCreator;
            copy.namespace = namespace;
            copy.groupSettings = groupSettings;
            copy.supervision = supervision;
            copy.bindHost = bindHost;
            copy.advertiseHost = advertiseHost;
            return copy;
        }

        /** The node groups that the hardware ranks count in, in order; none means the whole cluster. */
        public Builder rolloutNodeGroups(List<String> labels) {
            this.rolloutNodeGroups = List.copyOf(labels);
            return this;
        }

        /** A strategy that places the engines as it is; the hardware ranks are then not used. */
        public Builder placementStrategy(PlacementStrategy strategy) {
            this.placementStrategy = strategy;
            return this;
        }

        /** The node of the router by its rank in the cluster, 0 or more; 0, the head, unless set. */
        public Builder routerNodeRank(int rank) {
            this.routerNodeRank = rank;
            return this;
        }

        /** The fleet's name, which its placement group gets; made from the group names unless set. */
        public Builder fleetName(String name) {
            this.fleetName = name;
            return this;
        }

        /** How long Ray may take to set the bundles aside; {@link #DEFAULT_RESERVE_DEADLINE} unless set. */
        public Builder reserveDeadline(Duration deadline) {
            this.reserveDeadline = deadline;
            return this;
        }

        /** How actors are made, and how long engines and router may take to start. */
        public Builder groupOptions(GroupOptions options) {
            this.groupOptions = options;
            return this;
        }

        /** What receives the progress of the launch. */
        public Builder listener(LaunchListener toTell) {
            this.listener = toTell;
            return this;
        }

        /**
         * The Python that engines and router run in, where the node group names none; else the worker's variable
         * SGLANG_RAY_PYTHON, else python3.
         */
        public Builder pythonInterpreter(String interpreter) {
            this.pythonInterpreter = interpreter;
            return this;
        }

        /** Ray CPUs to reserve for each actor, 0 or more; 0 unless set. */
        public Builder cpusPerActor(double cpus) {
            this.cpusPerActor = cpus;
            return this;
        }

        /**
         * How the fleet uses Ray's placement groups: one of its own or an existing one, how much of an accelerator it
         * leaves to others, and who says which accelerators an engine uses. As the map {@code placement_group} of the
         * launcher's block says unless set.
         */
        public Builder groupSettings(GroupSettings settings) {
            this.groupSettings = settings;
            return this;
        }

        /**
         * How engines and router are looked after once they serve. As the map {@code supervision} of the launcher's block
         * says unless set.
         */
        public Builder supervision(SupervisionPolicy policy) {
            this.supervision = policy;
            return this;
        }

        /** Whether Python drivers can attach to the fleet, which takes a small Python actor; true unless set. */
        public Builder pythonGateway(boolean wanted) {
            this.pythonGateway = wanted;
            return this;
        }

        /**
         * For an owner that Ray starts again when its process dies: its fleet goes on meanwhile.
         *
         * @param store where the fleet is written down after the launch and after each change
         * @param creator creates placement groups that outlive the owner's process
         */
        public Builder outlivesOwner(RecordStore<FleetState> store, GroupCreator creator) {
            this.record = store;
            this.groupCreator = creator;
            return this;
        }

        /** Which addresses engines and router listen at. As {@code bind_host} of the launcher's block says unless set. */
        public Builder bindHost(BindHost host) {
            this.bindHost = host;
            return this;
        }

        /**
         * The host in the engines' URLs, for engines of one node: what the router and clients reach them at. As {@code advertise_host} of
         * the launcher's block says unless set; the address that Ray knows the node by where neither does.
         *
         * @param host a name or an address, without scheme and port
         */
        public Builder advertiseHost(String host) {
            AdvertiseHost.refusal(host).ifPresent(why -> {
                throw new IllegalArgumentException("the advertised host " + why);
            });
            this.advertiseHost = host;
            return this;
        }

        /** The Ray namespace to plan for; that of the connection unless set, which is what a launch needs. */
        public Builder namespace(String name) {
            this.namespace = name;
            return this;
        }

        /** The options as they are now. */
        public LaunchOptions build() {
            return new LaunchOptions(this);
        }
    }
}
