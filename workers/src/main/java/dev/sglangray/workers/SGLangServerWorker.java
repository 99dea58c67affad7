/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import io.ray.api.Ray;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;

/**
 * The Ray actor that owns one engine, a thin shell around what keeps it running. RLinf's class of the same name; here it takes
 * its specification as JSON and answers with strings and booleans. Questions and the shutdown are answered while
 * {@link #initServer()} is under way. Should Ray replace the actor's process, the new one starts the engine anew by itself.
 *
 * <p>All methods throw {@link WorkerFailure} with a text for people.
 */
public class SGLangServerWorker {
    /** One call that watches is renewed this often, so that one whose caller is gone does not hold a thread for long. */
    private static final Duration WATCH = Duration.ofMinutes(1);

    private final WorkerMemory files;
    private final EngineControl control;
    private final Keeper keeper;
    private final EngineOutside outside;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final AtomicInteger generation = new AtomicInteger();
    private final EngineMemory memory;
    private final EnginePause pause;
    private final EngineWeights weights;
    private final EngineUpdate update;
    private final Duration toLoad;
    private final String routerGroup;
    private final MemoryFile toldSize;
    private volatile int groupSize;
    private volatile EngineLifecycle latest;

    /**
     * Called by Ray.
     *
     * @param specJson a {@link ServerSpec} as JSON
     */
    public SGLangServerWorker(String specJson) {
        ServerSpec spec = Json.read(specJson, ServerSpec.class);
        OkHttpClient http = WorkerHttp.create();
        ChildKit kit = ChildKit.of(RayNode.current());
        files = WorkerMemory.open(spec.actorName(), kit.node());
        RouterLink router = spec.routerGroup() == null ? RouterLink.NONE : new RayRouterLink(spec.routerGroup());
        LivenessProbe probe = new LivenessProbe(
                http, spec.supervision().probe(), spec.supervision().probeTimeout());
        latest = new EngineLifecycle(spec, kit, http);
        toldSize = files.file("size");
        groupSize = spec.groupSize();
        routerGroup = spec.routerGroup() == null ? "" : spec.routerGroup();
        toLoad = Duration.ofMillis((long) (spec.healthTimeoutSeconds() * 1000));
        outside = new EngineOutside(router, probe, () -> latest.endpoint().withWeightVersion(weightVersion()));
        keeper = new Keeper(
                spec.actorName(),
                "engine",
                spec.supervision(),
                Secrets.of(spec.serverArgs(), spec.environment()),
                incarnation -> renew(new EngineLifecycle(spec, kit, http, incarnation)),
                outside,
                files.file("engine"));
        control = new EngineControl(http, keeper::url, latest.apiKey());
        ChangeLock changes = new ChangeLock();
        memory = new EngineMemory(
                keeper,
                control,
                changes,
                files.file("lent"),
                generation::get,
                () -> MemorySupport.refusal(spec, latest.devices()));
        pause = new EnginePause(keeper, control, changes, files.file("paused"));
        weights = new EngineWeights(
                spec.initialWeights(),
                control,
                router,
                files.file("weights"),
                keeper.journal(),
                generation::get,
                keeper::restartSoon);
        update = new EngineUpdate(
                keeper,
                control,
                changes,
                memory,
                pause,
                weights,
                new CheckpointCheck(spec.initialWeights().path(), kit.node().ip()));
        outside.beforePublishing(() -> {
            update.beforePublishing();
            weights.bring(toLoad);
        });
        if (Ray.getRuntimeContext().wasCurrentActorRestarted()) {
            groupSize = toldSize.load(Integer.class).orElse(spec.groupSize());
            memory.inherit();
            pause.inherit();
            weights.inherit();
            keeper.inherit(outside::knownAs);
        }
    }

    /** Called for each new process, the first within this object's construction. */
    private EngineLifecycle renew(EngineLifecycle fresh) {
        latest = fresh;
        if (generation.getAndIncrement() > 0) {
            pause.renewed();
        }
        return fresh;
    }

    /** Starts the engine; returns its URL when it is healthy. */
    public String initServer() {
        String url = keeper.start();
        outside.knownAs(url);
        // Its fleet may have had an update before this engine was added.
        weights.bringAtStart(toLoad);
        return url;
    }

    /** The engine's URL, which it keeps when it is restarted. */
    public String getServerUrl() {
        return keeper.url();
    }

    /** A {@link ServerEndpoint} as JSON. */
    public String endpoint() {
        return Json.write(latest.endpoint().withWeightVersion(weightVersion()));
    }

    /** Whether the engine runs and answers. */
    public boolean isHealthy() {
        return keeper.isHealthy();
    }

    /** A {@link WorkerStatus} as JSON. */
    public String status() {
        WorkerStatus own = keeper.status();
        List<String> conditions = new ArrayList<>(own.conditions());
        weights.problem().ifPresent(conditions::add);
        WorkerStatus status = own.with(weightVersion(), conditions).ofGroup(groupSize);
        boolean out = weights.problem().isPresent() && status.state().equals(WorkerState.READY.name());
        return Json.write(out ? status.inState(WorkerState.DRAINED) : status);
    }

    /** The group has so many engines from now on. */
    public boolean resize(int engines) {
        groupSize = engines;
        toldSize.save(engines);
        return true;
    }

    private @Nullable String weightVersion() {
        return weights.current().map(Weights::version).orElse(null);
    }

    /** The last lines of the engine's log. */
    public String logTail(int lines) {
        return keeper.logTail(lines);
    }

    /** The last events from a number on, a JSON list of {@link dev.sglangray.workers.supervision.Event}. */
    public String events(long from) {
        return Json.write(keeper.events(from));
    }

    /** Ends requests of the engine: those of one id, or all for an empty id. */
    public boolean abort(String requestId) {
        return control.abort(requestId);
    }

    /** Stops looking whether the engine generates, as while its memory is released; or looks again. */
    public boolean pauseProbes(boolean paused) {
        keeper.pauseProbes(paused);
        return true;
    }

    /**
     * Keeps new requests away from the engine and waits for those that it has.
     *
     * @return how many it still has when the time is over; -1 when the engine cannot tell
     */
    public int drain(int seconds) {
        long end = System.nanoTime() + Duration.ofSeconds(seconds).toNanos();
        if (!keeper.drain(true, Duration.ofSeconds(seconds))) {
            throw new WorkerFailure("the router could not be told within " + seconds + " s");
        }
        // One that is lost or being replaced has none.
        return keeper.isServing() ? control.awaitIdle(Duration.ofNanos(Math.max(0, end - System.nanoTime()))) : 0;
    }

    /** Lets new requests come to a drained engine. */
    public boolean undrain(int seconds) {
        if (!keeper.drain(false, Duration.ofSeconds(seconds))) {
            throw new WorkerFailure("the router could not be told within " + seconds + " s");
        }
        return true;
    }

    /**
     * Lends accelerator memory: keeps requests away, waits until there are none, and lets the engine release.
     *
     * @param tagsJson a JSON list of SGLang's words; empty for all
     */
    public boolean releaseMemory(String tagsJson, int seconds) {
        return memory.release(Json.texts(tagsJson), Duration.ofSeconds(seconds));
    }

    /** Takes lent memory back; with all of it the engine gets requests again. */
    public boolean resumeMemory(String tagsJson, int seconds) {
        return memory.resume(Json.texts(tagsJson), Duration.ofSeconds(seconds));
    }

    /** Stops generation; the mode is a name of {@link PauseMode}. */
    public boolean pauseGeneration(String mode, int seconds) {
        return pause.pause(PauseMode.valueOf(mode), Duration.ofSeconds(seconds));
    }

    /** Lets generation go on. */
    public boolean continueGeneration(int seconds) {
        return pause.resume(Duration.ofSeconds(seconds));
    }

    /** Empties the engine's cache of prefixes, which it refuses while it has requests. */
    public boolean flushCache(int seconds) {
        return control.require("/flush_cache", Map.of(), Duration.ofSeconds(seconds));
    }

    /** One of the engine's control routes, for a body as JSON; its answer as JSON. */
    public String engineCall(String route, String bodyJson, int seconds) {
        return control.answered(route, Json.map(Json.tree(bodyJson)), Duration.ofSeconds(seconds));
    }

    /** The group of the router that is told when the engine comes and goes; empty for none. */
    public String routerGroup() {
        return routerGroup;
    }

    /** What this worker knows of its fleet's weights, as JSON. */
    public String fleetWeights() {
        return Json.write(weights.remembered());
    }

    /** Makes ready for a {@link WeightUpdate}; an {@link UpdateOutcome}, both as JSON. */
    public String prepareUpdate(String updateJson, int seconds, int leaseSeconds) {
        return Json.write(update.prepare(
                Json.read(updateJson, WeightUpdate.class),
                Duration.ofSeconds(seconds),
                Duration.ofSeconds(leaseSeconds)));
    }

    /** Loads the weights of a {@link WeightUpdate} for which the engine is ready; an {@link UpdateOutcome}, both as JSON. */
    public String applyUpdate(String updateJson, int seconds) {
        return Json.write(update.apply(Json.read(updateJson, WeightUpdate.class), Duration.ofSeconds(seconds)));
    }

    /** Ends an update to a version: the fleet has these weights now. Empty, or what keeps the engine from serving, in words. */
    public String settleUpdate(String fleetWeightsJson, String version, int seconds) {
        return update.settle(Json.read(fleetWeightsJson, FleetWeights.class), version, Duration.ofSeconds(seconds));
    }

    /** Replaces the engine's process; returns its URL when the new one serves and the router knows. */
    public String restart(String why, int seconds) {
        keeper.restart(why, Duration.ofSeconds(seconds));
        return keeper.url();
    }

    /** Tells the router anew how the engine stands: something else had it taken off the router's list. */
    public boolean tellRouterAgain() {
        keeper.tellAgain();
        return true;
    }

    /** Answers {@code alive} after a while, or {@code ended} after the shutdown: who waits for it knows when this process dies. */
    public String watch() {
        return ended.copy()
                        .thenApply(nothing -> true)
                        .completeOnTimeout(false, WATCH.toMillis(), TimeUnit.MILLISECONDS)
                        .join()
                ? "ended"
                : "alive";
    }

    /** Ends the engine; true when all of it is gone. Aborts a start that is under way. */
    public boolean shutdown() {
        keeper.close();
        toldSize.delete();
        memory.forget();
        pause.forget();
        weights.forget();
        files.close();
        ended.complete(null);
        return true;
    }
}
