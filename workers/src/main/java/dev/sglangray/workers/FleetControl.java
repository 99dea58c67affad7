/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.LoopCalls;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.MonotonicClock;
import dev.sglangray.workers.update.WeightRollout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * What a trainer does with a whole fleet between rollouts: its memory, its generation, its weights. For a fleet that this
 * program launched or attached to. Each call goes to all engines at once and has one deadline for all; when an engine fails,
 * the {@link WorkerException} names it, each engine's {@link WorkerStatus.ServicePart#conditions()} tells its state, and the call may be
 * repeated. Waits can be interrupted; the flag stays set. Safe for use by several threads, but an update has a fleet for
 * itself.
 */
public final class FleetControl {
    /** A worker answers in time; this is for the way there and back. */
    private static final Duration WAY = Duration.ofSeconds(15);
    /** An update's own deadlines end it; beyond its time it waits for the commit and the engines' return. */
    private static final Duration AFTERWARDS = Duration.ofMinutes(6);

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
     * For a fleet that another program launched, by the name of its engines' group, in this program's Ray namespace.
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

    /** The engines that the fleet has now. */
    public ServerGroup servers() {
        return current();
    }

    /** The router, if there is one. */
    public Optional<RouterGroup> router() {
        return Optional.ofNullable(router);
    }

    /** As {@link ServerGroup#releaseMemory(List, Duration)}, waited for. */
    public void releaseMemory(List<String> tags, Duration timeout) {
        var unused = current().releaseMemory(tags, timeout).await(timeout.plus(WAY));
    }

    /** As {@link ServerGroup#resumeMemory(List, Duration)}, waited for. */
    public void resumeMemory(List<String> tags, Duration timeout) {
        var unused = current().resumeMemory(tags, timeout).await(timeout.plus(WAY));
    }

    /** As {@link ServerGroup#pauseGeneration}, waited for. */
    public void pauseGeneration(PauseMode mode, Duration timeout) {
        var unused = current().pauseGeneration(mode, timeout).await(timeout.plus(WAY));
    }

    /** As {@link ServerGroup#continueGeneration}, waited for. */
    public void continueGeneration(Duration timeout) {
        var unused = current().continueGeneration(timeout).await(timeout.plus(WAY));
    }

    /** As {@link ServerGroup#flushCache}, waited for. */
    public void flushCache(Duration timeout) {
        var unused = current().flushCache(timeout).await(timeout.plus(WAY));
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
        try (ThreadLoop loop = new ThreadLoop("update-" + servers.name(), new MonotonicClock())) {
            WeightRollout rollout = new WeightRollout(loop, update, new RayFleetPort(loop, this::current, router));
            return wait(update, rollout, loop.ask(rollout::run), loop);
        }
    }

    /** The engines that the fleet has now: it may have grown, or shrunk, since this control was made. */
    private ServerGroup current() {
        return ServerGroup.find(servers.name()).orElse(servers);
    }

    private UpdateReport wait(
            WeightUpdate update,
            WeightRollout rollout,
            CompletableFuture<WeightRollout.Done> running,
            ThreadLoop loop) {
        Duration timeout = update.timeout().plus(AFTERWARDS);
        try {
            WeightRollout.Done done = running.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            return new UpdateReport(
                    update.version(),
                    done.engines(),
                    done.secondsToQuiet(),
                    done.secondsToLoad(),
                    done.secondsToReturn());
        } catch (InterruptedException e) {
            // The engines settle by themselves; this thread's flag stays.
            LoopCalls.join(loop.ask(() -> {
                        rollout.abandon();
                        return CompletableFuture.completedFuture(true);
                    })
                    .completeOnTimeout(false, WAY.toSeconds(), TimeUnit.SECONDS));
            Thread.currentThread().interrupt();
            throw new WorkerInterruptedException(servers.name(), "updateWeights", e);
        } catch (TimeoutException e) {
            throw new WeightUpdateException(
                    servers.name(), "the update did not end within " + timeout.toSeconds() + " s", Map.of(), e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw cause instanceof WeightRollout.Failed failed
                    ? new WeightUpdateException(
                            servers.name(), String.valueOf(failed.getMessage()), failed.engines(), cause)
                    : new WeightUpdateException(servers.name(), EventLoop.words(cause), Map.of(), cause);
        }
    }

    /** The weights of the last update; empty when the fleet has those with which it was started. */
    public Optional<Weights> weights() {
        FleetWeights now = router == null
                ? current().fleetWeights().await(WAY).get(0)
                : router.fleetWeights().await(WAY).get(0);
        return Optional.ofNullable(now.updated());
    }

    /**
     * Lets every engine that gets the weights of updates join a process group with the trainer, for {@link WeightUpdate#fromDistributed}: the first engine's
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
            Duration timeout) {
        ServerGroup all = current();
        List<WorkerStatus> engines = updated(all);
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
            joining.add(all.on(engine.identity().rank()).engineCall("/init_weights_update_group", body, timeout));
            offset += Math.max(1, engine.process().devices().size());
        }
        Deadline deadline = Deadline.in(timeout.plus(WAY));
        joining.forEach(engine -> {
            var unused = engine.await(deadline.left());
        });
    }

    /** The engines that get the weights of an update. */
    private static List<WorkerStatus> updated(ServerGroup all) {
        return all.status().await(WAY).stream()
                .filter(engine -> engine.identity().updateWeights())
                .toList();
    }

    /** Lets every engine leave the group again. */
    public void destroyWeightsGroup(String groupName, Duration timeout) {
        ServerGroup all = current();
        List<WorkerGroupFuture<String>> leaving = updated(all).stream()
                .map(engine -> all.on(engine.identity().rank())
                        .engineCall("/destroy_weights_update_group", Map.of("group_name", groupName), timeout))
                .toList();
        Deadline deadline = Deadline.in(timeout.plus(WAY));
        leaving.forEach(engine -> {
            var unused = engine.await(deadline.left());
        });
    }
}
