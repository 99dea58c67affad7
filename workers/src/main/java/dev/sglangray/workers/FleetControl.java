/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a trainer does with a whole fleet between rollouts: its memory, its generation, its weights. For a fleet that this
 * program launched or attached to. Each call goes to all engines at once and has one deadline for all; when an engine fails,
 * the {@link WorkerException} names it, each engine's {@link WorkerStatus#conditions()} tells its state, and the call may be
 * repeated. Waits can be interrupted; the flag stays set. Safe for use by several threads, but an update has a fleet for
 * itself.
 */
public final class FleetControl {
    /** A worker answers in time; this is for the way there and back. */
    private static final Duration WAY = Duration.ofSeconds(15);

    private final ServerGroup servers;
    private final @Nullable RouterGroup router;

    private FleetControl(ServerGroup servers, @Nullable RouterGroup router) {
        this.servers = servers;
        this.router = router;
    }

    /** For groups at hand; the router that the engines themselves know is found where none is given. */
    public static FleetControl of(ServerGroup servers, @Nullable RouterGroup router) {
        return new FleetControl(servers, router == null ? routerOf(servers) : router);
    }

    /**
     * For a fleet that somebody else launched, by the name of its engines' group, in this program's Ray namespace.
     *
     * @throws WorkerException when there is no such group
     */
    public static FleetControl attach(String serverGroup) {
        return of(ServerGroup.attach(serverGroup), null);
    }

    private static @Nullable RouterGroup routerOf(ServerGroup servers) {
        String name =
                servers.on(servers.ranks().get(0)).routerGroup().await(WAY).get(0);
        return name.isEmpty() ? null : RouterGroup.attach(name);
    }

    /** The engines. */
    public ServerGroup servers() {
        return servers;
    }

    /** The router, if there is one. */
    public Optional<RouterGroup> router() {
        return Optional.ofNullable(router);
    }

    /** As {@link ServerGroup#releaseMemory(List, Duration)}, waited for. */
    public void releaseMemory(List<String> tags, Duration longest) {
        var unused = servers.releaseMemory(tags, longest).await(longest.plus(WAY));
    }

    /** As {@link ServerGroup#resumeMemory(List, Duration)}, waited for. */
    public void resumeMemory(List<String> tags, Duration longest) {
        var unused = servers.resumeMemory(tags, longest).await(longest.plus(WAY));
    }

    /** As {@link ServerGroup#pauseGeneration}, waited for. */
    public void pauseGeneration(PauseMode mode, Duration longest) {
        var unused = servers.pauseGeneration(mode, longest).await(longest.plus(WAY));
    }

    /** As {@link ServerGroup#continueGeneration}, waited for. */
    public void continueGeneration(Duration longest) {
        var unused = servers.continueGeneration(longest).await(longest.plus(WAY));
    }

    /** As {@link ServerGroup#flushCache}, waited for. */
    public void flushCache(Duration longest) {
        var unused = servers.flushCache(longest).await(longest.plus(WAY));
    }

    /**
     * Gives the fleet other weights. Unless {@linkplain WeightUpdate#withRolling asked otherwise}, no request is answered by
     * old weights once one is by the new: the router sends nothing to any engine while requests under way are waited for, all
     * engines load at once, and those that have loaded come back together. Meanwhile the router answers 503.
     *
     * <p>An engine that fails stays out of the router until its worker has brought it to the new weights, by a new process if
     * need be; so does one that did not serve. Engines that are started later get weights from disk before the router hears
     * of them.
     *
     * @return what came of it at each engine, when at least one has the new weights
     * @throws WeightUpdateException when none has, or an engine refused before anything was touched: the fleet keeps its
     *     weights and serves
     */
    public UpdateReport updateWeights(WeightUpdate update) {
        return new WeightRollout(servers.name(), update, new GroupFleetHands(servers, router, update)).run();
    }

    /** The weights of the last update; empty when the fleet has those with which it was started. */
    public Optional<Weights> weights() {
        FleetWeights now = router == null
                ? servers.fleetWeights().await(WAY).get(0)
                : router.fleetWeights().await(WAY).get(0);
        return Optional.ofNullable(now.updated());
    }

    /**
     * Lets every engine join a process group with the trainer, for {@link WeightUpdate#fromDistributed}: the first engine's
     * accelerators get the ranks from {@code firstRank} on, then the second's, and so on. Waits until all have joined, the
     * trainer included.
     *
     * @param masterAddress where the trainer's first process listens
     * @param worldSize the trainer's processes and all engines' accelerators
     * @param backend such as {@code nccl} or {@code gloo}
     */
    public void initWeightsGroup(
            String masterAddress,
            int masterPort,
            int firstRank,
            int worldSize,
            String groupName,
            String backend,
            Duration longest) {
        List<WorkerStatus> engines = servers.status().await(WAY);
        List<WorkerGroupFuture<String>> joining = new ArrayList<>();
        int offset = firstRank;
        for (WorkerStatus engine : engines) {
            Map<String, Object> body = new LinkedHashMap<>();
            body.put("master_address", masterAddress);
            body.put("master_port", masterPort);
            body.put("rank_offset", offset);
            body.put("world_size", worldSize);
            body.put("group_name", groupName);
            body.put("backend", backend);
            joining.add(servers.on(engine.rank()).engineCall("/init_weights_update_group", body, longest));
            offset += Math.max(1, engine.devices().size());
        }
        Deadline deadline = Deadline.in(longest.plus(WAY));
        joining.forEach(engine -> {
            var unused = engine.await(deadline.left());
        });
    }

    /** Lets every engine leave the group again. */
    public void destroyWeightsGroup(String groupName, Duration longest) {
        var unused = servers.engineCall("/destroy_weights_update_group", Map.of("group_name", groupName), longest)
                .await(longest.plus(WAY));
    }
}
