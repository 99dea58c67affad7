/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.config.launcher.AdvertiseHost;
import dev.sglangray.config.launcher.BindHost;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.protocol.ExternalServer;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a fleet is launched; everything has a default. Immutable. The command line or a driver makes it, and the groups get
 * their part of it. It travels to the owner of a detached fleet as JSON, hence the plain numbers.
 *
 * @param routerNodeRank the router's node
 * @param pythonInterpreter the Python of engines and router, or null for the nodes' own
 * @param reserveSeconds how long Ray may take to set the bundles aside, above 0
 * @param healthSeconds how long an engine may take to become healthy, above 0
 * @param javaJars URIs of jars that the actors need; empty for those of the Ray job
 * @param logDirectory where engines and router log, or null for the Ray session's log folder
 * @param fleetName the fleet's name, or null for one made from the group names
 * @param namespace the Ray namespace to plan for, or null for that of the connection
 * @param cpusPerActor Ray CPUs to reserve for each actor, 0 or more
 * @param pythonGateway whether Python drivers can attach
 * @param groupSettings how the fleet uses placement groups, or null for what the launcher's block says
 * @param supervision how engines and router are looked after, or null for what the block says
 * @param bindHost which addresses they listen at, or null for what the block says
 * @param advertiseHost the host in the engines' URLs, or null for what the block says
 */
public record LaunchOptions(
        int routerNodeRank,
        @Nullable String pythonInterpreter,
        double reserveSeconds,
        double healthSeconds,
        List<String> javaJars,
        @Nullable String logDirectory,
        @Nullable String fleetName,
        @Nullable String namespace,
        double cpusPerActor,
        boolean pythonGateway,
        @Nullable GroupSettings groupSettings,
        @Nullable SupervisionPolicy supervision,
        @Nullable BindHost bindHost,
        @Nullable String advertiseHost) {
    /** All defaults: 5 minutes for Ray, since a cluster that grows on demand needs minutes, and RLinf's timeouts. */
    public static final LaunchOptions DEFAULT = builder().build();

    /** Time for an actor's JVM to start and for a lost call to be noticed, on top of the engine's own deadline. */
    static final Duration ACTOR_ALLOWANCE = Duration.ofMinutes(2);

    /** Checks the host and copies the lists; a wrong host is an {@link IllegalArgumentException}. */
    public LaunchOptions {
        javaJars = List.copyOf(javaJars);
        Optional.ofNullable(advertiseHost).flatMap(AdvertiseHost::refusal).ifPresent(why -> {
            throw new IllegalArgumentException("the advertised host " + why);
        });
    }

    /** Starts with the defaults. */
    public static Builder builder() {
        return new Builder();
    }

    /** Starts with these options. */
    public Builder toBuilder() {
        return new Builder(this);
    }

    Duration reserveTimeout() {
        return duration(reserveSeconds);
    }

    Duration healthTimeout() {
        return duration(healthSeconds);
    }

    /** These options, with the settings of a fleet's block where they have none. */
    LaunchOptions withSettingsOf(FleetSpec spec) {
        Builder settled = toBuilder();
        settled.groupSettings = Objects.requireNonNullElse(groupSettings, spec.groupSettings());
        settled.supervision = Objects.requireNonNullElse(supervision, spec.supervision());
        settled.bindHost = Objects.requireNonNullElse(bindHost, spec.arguments().bindHost());
        settled.advertiseHost = advertiseHost == null ? spec.arguments().advertiseHost() : advertiseHost;
        return settled.build();
    }

    /** What the groups get of these options, with what a fleet says; {@link #withSettingsOf} comes first. */
    GroupOptions groupOptions(
            Map<String, GroupOptions.PoolOptions> pools, List<ExternalServer> externalServers, boolean detached) {
        return new GroupOptions(
                javaJars,
                healthTimeout(),
                logDirectory,
                Objects.requireNonNullElse(supervision, SupervisionPolicy.DEFAULT),
                Objects.requireNonNullElse(bindHost, BindHost.ALL),
                advertiseHost,
                pools,
                externalServers,
                detached);
    }

    private static Duration duration(double seconds) {
        return Duration.ofMillis(Math.round(seconds * 1000));
    }

    /** Collects options. Not safe for use by several threads. */
    public static final class Builder {
        private int routerNodeRank;
        private @Nullable String pythonInterpreter;
        private Duration reserve = Duration.ofMinutes(5);
        private Duration health = GroupOptions.defaults().serverHealthTimeout();
        private List<String> javaJars = List.of();
        private @Nullable String logDirectory;
        private @Nullable String fleetName;
        private @Nullable String namespace;
        private double cpusPerActor;
        private boolean pythonGateway = true;
        private @Nullable GroupSettings groupSettings;
        private @Nullable SupervisionPolicy supervision;
        private @Nullable BindHost bindHost;
        private @Nullable String advertiseHost;

        private Builder() {}

        private Builder(LaunchOptions from) {
            routerNodeRank = from.routerNodeRank;
            pythonInterpreter = from.pythonInterpreter;
            reserve = from.reserveTimeout();
            health = from.healthTimeout();
            javaJars = from.javaJars;
            logDirectory = from.logDirectory;
            fleetName = from.fleetName;
            namespace = from.namespace;
            cpusPerActor = from.cpusPerActor;
            pythonGateway = from.pythonGateway;
            groupSettings = from.groupSettings;
            supervision = from.supervision;
            bindHost = from.bindHost;
            advertiseHost = from.advertiseHost;
        }

        /** The node of the router by its rank in the cluster, 0 or more; 0, the head, unless set. */
        public Builder routerNodeRank(int rank) {
            this.routerNodeRank = rank;
            return this;
        }

        /**
         * The Python that engines and router run in, where the node group names none; else the worker's variable
         * SGLANG_RAY_PYTHON, else python3.
         */
        public Builder pythonInterpreter(@Nullable String interpreter) {
            this.pythonInterpreter = interpreter;
            return this;
        }

        /** How long Ray may take to set the bundles aside; 5 minutes unless set. */
        public Builder reserveTimeout(Duration timeout) {
            this.reserve = timeout;
            return this;
        }

        /** How long an engine may take from its start to healthy; 15 minutes unless set. */
        public Builder healthTimeout(Duration timeout) {
            this.health = timeout;
            return this;
        }

        /** URIs of jars that the actors need, for Ray's {@code java_jars}; those of the Ray job unless set. */
        public Builder javaJars(List<String> uris) {
            this.javaJars = uris;
            return this;
        }

        /** Where engines and router log on their nodes; the Ray session's log folder unless set. */
        public Builder logDirectory(String directory) {
            this.logDirectory = directory;
            return this;
        }

        /** The fleet's name, which its placement group gets; made from the group names unless set. */
        public Builder fleetName(String name) {
            this.fleetName = name;
            return this;
        }

        /** The Ray namespace to plan for; that of the connection unless set, which is what a launch needs. */
        public Builder namespace(String name) {
            this.namespace = name;
            return this;
        }

        /** Ray CPUs to reserve for each actor, 0 or more; 0 unless set. */
        public Builder cpusPerActor(double cpus) {
            this.cpusPerActor = cpus;
            return this;
        }

        /** Whether Python drivers can attach to the fleet, which takes a small Python actor; true unless set. */
        public Builder pythonGateway(boolean wanted) {
            this.pythonGateway = wanted;
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
            this.advertiseHost = host;
            return this;
        }

        /**
         * The options as they are now.
         *
         * @throws IllegalArgumentException when the advertised host is none
         */
        public LaunchOptions build() {
            return new LaunchOptions(
                    routerNodeRank,
                    pythonInterpreter,
                    seconds(reserve),
                    seconds(health),
                    javaJars,
                    logDirectory,
                    fleetName,
                    namespace,
                    cpusPerActor,
                    pythonGateway,
                    groupSettings,
                    supervision,
                    bindHost,
                    advertiseHost);
        }

        private static double seconds(Duration duration) {
            return duration.toMillis() / 1000.0;
        }
    }
}
