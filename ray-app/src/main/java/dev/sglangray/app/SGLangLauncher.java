/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.session.RayLedger;
import dev.sglangray.config.Config;
import dev.sglangray.config.launcher.LauncherArgs;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.plan.ExistingGroup;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.FleetPlanner;
import dev.sglangray.placement.plan.GroupSettings;
import dev.sglangray.placement.plan.PlanRequest;
import dev.sglangray.placement.plan.RunningFleetPlan;
import dev.sglangray.placement.ray.ExistingGroups;
import io.ray.api.Ray;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Launches SGLang engines and a router for them on the Ray cluster that this JVM is connected to. RLinf's
 * {@code launch_sglang_router_and_server} and its companions; all configuration is checked before anything starts.
 *
 * <p>Stateless; safe for use by several threads.
 */
public final class SGLangLauncher {
    private SGLangLauncher() {}

    /**
     * Launches engines and router as the block says, and returns when every engine is healthy in the router.
     *
     * <p>Engines of {@code tensor_parallel_size × pipeline_parallel_size} accelerators ({@code server.num_gpus} when it
     * is above 0) are packed on the hardware ranks, which must be contiguous; or the options name a placement strategy,
     * which is used as it is. Engines and router start at the same time, and an engine is registered as soon as both
     * are healthy. When anything fails, or this thread is interrupted, all that was started is ended before this
     * returns.
     *
     * @param cluster the cluster, ranked
     * @param rolloutHardwareRanks where the engines go, usually
     *     {@code ComponentPlacement.getHardwareRanks("rollout")}; null when a strategy is given or
     *     {@code launch_server} is off
     * @param routerServerArgs the block with {@code server}, {@code router}, {@code tensor_parallel_size} and so on
     * @return the running fleet, for the caller to close
     * @throws dev.sglangray.config.error.ConfigException when the block is wrong
     * @throws dev.sglangray.placement.PlacementException when the cluster cannot give what is asked
     * @throws dev.sglangray.workers.WorkerException when an engine or the router does not start or is not accepted
     * @throws LaunchException when a deadline passes
     */
    public static Fleet launchRouterAndServer(
            Cluster cluster,
            @Nullable List<Integer> rolloutHardwareRanks,
            Config routerServerArgs,
            LaunchOptions options) {
        PlanRequest request;
        FleetPlan plan;
        LauncherArgs arguments = LauncherArgs.from(routerServerArgs);
        LaunchOptions settled = options.withSettingsOf(routerServerArgs, arguments);
        try (Step step = Step.begin(options.listener(), LaunchPhase.PLAN, "planning")) {
            ArgumentCheck check = ArgumentCheck.of(routerServerArgs, arguments, options);
            check.throwIfWrong();
            check.problems().forEach(problem -> step.note(problem.render()));
            request = request(cluster, rolloutHardwareRanks, arguments, settled);
            plan = plan(request, arguments, settled);
            MissingApiKeyWarning.warning(plan).ifPresent(warning -> step.note("warning: " + warning));
            plan.warnings().forEach(warning -> step.note("warning: " + warning));
        }
        return new FleetLaunch(request, cluster, plan, settled).run();
    }

    /** See {@link FleetSpec#adopt}. */
    static Fleet adopt(
            Cluster launched,
            Cluster now,
            @Nullable List<Integer> hardwareRanks,
            Config block,
            LaunchOptions options,
            FleetState state,
            Collection<Integer> living) {
        LauncherArgs arguments = LauncherArgs.from(block);
        LaunchOptions settled = options.withSettingsOf(block, arguments);
        PlanRequest request = request(launched, hardwareRanks, arguments, settled);
        FleetPlan recalled = RunningFleetPlan.plan(
                request,
                now,
                state.seats().stream()
                        .map(seat -> new RunningFleetPlan.Seat(seat.placement(), seat.bundle()))
                        .toList(),
                state.wanted(),
                state.masterAddress(),
                state.routerBundle(),
                state.bundles());
        FleetPlan plan =
                settled.pythonInterpreter().map(recalled::withDefaultPython).orElse(recalled);
        return new FleetLaunch(request, now, plan, settled).adopt(state, living);
    }

    /**
     * Plans what {@link #launchRouterAndServer} would launch, and starts nothing.
     *
     * @throws dev.sglangray.config.error.ConfigException when arguments cannot work where the plan puts engines and router
     * @throws dev.sglangray.placement.PlacementException when the cluster cannot give what is asked
     */
    public static FleetPlan plan(
            Cluster cluster,
            @Nullable List<Integer> rolloutHardwareRanks,
            LauncherArgs arguments,
            LaunchOptions options) {
        return plan(request(cluster, rolloutHardwareRanks, arguments, options), arguments, options);
    }

    private static FleetPlan plan(PlanRequest request, LauncherArgs arguments, LaunchOptions options) {
        FleetPlan plan = FleetPlanner.plan(request);
        PlanCheck.require(arguments, plan);
        PlanCheck.requireOneNode(options.groupOptions().advertiseHost(), plan.engines());
        return options.pythonInterpreter().map(plan::withDefaultPython).orElse(plan);
    }

    private static PlanRequest request(
            Cluster cluster,
            @Nullable List<Integer> rolloutHardwareRanks,
            LauncherArgs arguments,
            LaunchOptions options) {
        PlanRequest.Builder request = PlanRequest.builder(cluster)
                .fleetName(options.fleetName().orElseGet(() -> fleetName(arguments)))
                .nodeGroups(options.rolloutNodeGroups())
                .routerNodeRank(options.routerNodeRank())
                .cpusPerActor(options.cpusPerActor())
                .arguments(arguments);
        GroupSettings settings = options.groupSettings().orElse(GroupSettings.DEFAULT);
        request.groupSettings(settings);
        if (options.namespace().isPresent()) {
            request.namespace(options.namespace().get());
        } else if (Ray.isInitialized()) {
            String namespace = Ray.getRuntimeContext().getNamespace();
            request.namespace(namespace);
            existingGroup(settings, namespace).ifPresent(request::existingGroup);
        }
        options.placementStrategy().ifPresent(request::strategy);
        if (rolloutHardwareRanks != null) {
            request.hardwareRanks(rolloutHardwareRanks);
        }
        return request.build();
    }

    /** The existing placement group that the settings name, as it is now. */
    static Optional<ExistingGroup> existingGroup(GroupSettings settings, String namespace) {
        return settings.existing()
                .map(name ->
                        ExistingGroups.require(name, settings.existingNamespace(), namespace, new RayLedger().read()));
    }

    // Group names are unique in a namespace, because actors are named after them; so is this.
    private static String fleetName(LauncherArgs arguments) {
        return "sglang-ray/" + (arguments.launchServer() ? arguments.groupName() : arguments.routerGroupName());
    }
}
