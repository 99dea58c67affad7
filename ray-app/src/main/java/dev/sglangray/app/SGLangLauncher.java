/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.session.RayLedger;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.plan.ExistingGroup;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.plan.RunningFleetPlan;
import dev.sglangray.placement.ray.ExistingGroups;
import dev.sglangray.placement.ray.RayClusterReader;
import io.ray.api.Ray;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Launches SGLang engines and a router for them on the Ray cluster that this JVM is connected to. RLinf's
 * {@code launch_sglang_router_and_server} and its companions; all configuration is checked before anything starts.
 *
 * <p>Stateless; safe for use by several threads.
 */
public final class SGLangLauncher {
    private SGLangLauncher() {}

    /**
     * Launches a fleet on the cluster that this JVM is connected to, without progress; as
     * {@link #launch(FleetSpec, Cluster, LaunchOptions, LaunchContext)}.
     */
    public static Fleet launch(FleetSpec spec, LaunchOptions options) {
        return launch(spec, spec.cluster(RayClusterReader.read()), options, LaunchContext.of(LaunchListener.NONE));
    }

    /**
     * Launches engines and router as the block says, and returns when every engine is healthy in the router.
     *
     * <p>Engines of {@code tensor_parallel_size × pipeline_parallel_size} accelerators ({@code server.num_gpus} when it
     * is above 0) are packed on the component's hardware ranks, which must be contiguous; or a placement strategy is used as it is.
     * Engines and router start at the same time, and an engine is registered as soon as both
     * are healthy. When anything fails, or this thread is interrupted, all that was started is ended before this
     * returns.
     *
     * @param cluster the cluster, ranked
     * @return the running fleet, for the caller to close
     * @throws dev.sglangray.config.error.ConfigException when the block is wrong
     * @throws dev.sglangray.placement.PlacementException when the cluster cannot give what is asked
     * @throws dev.sglangray.workers.WorkerException when an engine or the router does not start or is not accepted
     * @throws LaunchException when a deadline passes
     */
    public static Fleet launch(FleetSpec spec, Cluster cluster, LaunchOptions options, LaunchContext context) {
        LaunchOptions settled = options.withSettingsOf(spec);
        PlanRequest request;
        FleetPlan plan;
        try (Step step = Step.begin(context.listener(), LaunchPhase.PLAN, "planning")) {
            List<ConfigProblem> problems = spec.argumentProblems(options);
            ConfigException.throwIfErrors(problems);
            problems.forEach(problem -> step.note(problem.render()));
            request = request(spec, cluster, settled);
            plan = plan(request, spec, settled);
            MissingApiKeyWarning.warning(plan).ifPresent(warning -> step.note("warning: " + warning));
            plan.warnings().forEach(warning -> step.note("warning: " + warning));
        }
        return new FleetLaunch(
                        request, cluster, plan, settled, spec.groupOptions(options, context.detached()), spec, context)
                .run();
    }

    /**
     * Takes over a fleet that runs without an owner: its processes keep running, and what is returned owns them.
     *
     * @param state where its processes are
     * @param living the ranks whose workers live there
     * @throws RuntimeException when that is not possible; the fleet is then as it was
     */
    public static Fleet adopt(
            FleetSpec spec,
            FleetState state,
            Collection<Integer> living,
            LaunchOptions options,
            LaunchContext context) {
        ClusterConfig config = spec.clusterConfig();
        Cluster launched = Cluster.known(config, state.nodes().subList(0, state.launched()), state.launched());
        Cluster now = Cluster.known(config, state.nodes(), state.launched());
        LaunchOptions settled = options.withSettingsOf(spec);
        PlanRequest request = request(spec, launched, settled);
        FleetPlan plan = RunningFleetPlan.plan(
                        request,
                        now,
                        state.seats().stream().map(FleetState.Seat::engine).toList(),
                        state.engines(),
                        state.masterAddress(),
                        state.routerBundle(),
                        state.bundles())
                .withDefaultPython(settled.pythonInterpreter());
        return new FleetLaunch(
                        request, now, plan, settled, spec.groupOptions(options, context.detached()), spec, context)
                .adopt(state, living);
    }

    /**
     * Plans what {@link #launch} would launch, and starts nothing.
     *
     * @throws dev.sglangray.config.error.ConfigException when arguments cannot work where the plan puts engines and router
     * @throws dev.sglangray.placement.PlacementException when the cluster cannot give what is asked
     */
    public static FleetPlan plan(FleetSpec spec, Cluster cluster, LaunchOptions options) {
        LaunchOptions settled = options.withSettingsOf(spec);
        return plan(request(spec, cluster, settled), spec, settled);
    }

    private static FleetPlan plan(PlanRequest request, FleetSpec spec, LaunchOptions options) {
        FleetPlan plan = FleetPlanner.plan(request);
        PlanCheck.require(spec, plan);
        PlanCheck.requireOneNode(options.advertiseHost(), plan.engines());
        return plan.withDefaultPython(options.pythonInterpreter());
    }

    private static PlanRequest request(FleetSpec spec, Cluster cluster, LaunchOptions options) {
        GroupSettings settings = Objects.requireNonNullElse(options.groupSettings(), GroupSettings.DEFAULT);
        // Group names are unique in a namespace, because actors are named after them; so is this.
        PlanRequest.Builder request = PlanRequest.builder(cluster)
                .fleetName(Objects.requireNonNullElse(options.fleetName(), "sglang-ray/" + spec.groupName()))
                .routerNodeRank(options.routerNodeRank())
                .cpusPerActor(options.cpusPerActor())
                .acrossNodes()
                .groupSettings(settings);
        if (options.namespace() != null) {
            request.namespace(options.namespace());
        } else if (Ray.isInitialized()) {
            String namespace = Ray.getRuntimeContext().getNamespace();
            request.namespace(namespace);
            existingGroup(settings, namespace).ifPresent(request::existingGroup);
        }
        spec.addTo(request, cluster);
        return request.build();
    }

    /** The existing placement group that the settings name, as it is now. */
    static Optional<ExistingGroup> existingGroup(GroupSettings settings, String namespace) {
        return settings.existing()
                .map(name ->
                        ExistingGroups.require(name, settings.existingNamespace(), namespace, new RayLedger().read()));
    }
}
