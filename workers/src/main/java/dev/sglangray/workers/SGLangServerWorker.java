/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import io.ray.api.Ray;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;

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

    private final EngineControl control;
    private final Keeper keeper;
    private final EngineOutside outside;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
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
        String actorId = Ray.getRuntimeContext().getCurrentActorId().toString();
        RouterLink router = spec.routerGroup() == null ? RouterLink.NONE : new RayRouterLink(spec.routerGroup());
        LivenessProbe probe = new LivenessProbe(
                http, spec.supervision().probe(), spec.supervision().probeTimeout());
        latest = new EngineLifecycle(spec, kit, http);
        outside = new EngineOutside(router, probe, () -> latest.endpoint());
        keeper = new Keeper(
                spec.actorName(),
                "engine",
                spec.supervision(),
                Secrets.of(spec.serverArgs(), spec.environment()),
                incarnation -> latest = new EngineLifecycle(spec, kit, http, incarnation),
                outside,
                MemoryFile.of(actorId, "engine"));
        control = new EngineControl(http, keeper::url, latest.apiKey());
        if (Ray.getRuntimeContext().wasCurrentActorRestarted()) {
            keeper.inherit(outside::knownAs);
        }
    }

    /** Starts the engine; returns its URL when it is healthy. */
    public String initServer() {
        String url = keeper.start();
        outside.knownAs(url);
        return url;
    }

    /** The engine's URL, which it keeps when it is restarted. */
    public String getServerUrl() {
        return keeper.url();
    }

    /** A {@link ServerEndpoint} as JSON. */
    public String endpoint() {
        return Json.write(latest.endpoint());
    }

    /** Whether the engine runs and answers. */
    public boolean isHealthy() {
        return keeper.isHealthy();
    }

    /** A {@link WorkerStatus} as JSON. */
    public String status() {
        return Json.write(keeper.status());
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
        return control.awaitIdle(Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    }

    /** Lets new requests come to a drained engine. */
    public boolean undrain(int seconds) {
        if (!keeper.drain(false, Duration.ofSeconds(seconds))) {
            throw new WorkerFailure("the router could not be told within " + seconds + " s");
        }
        return true;
    }

    /** Replaces the engine's process; returns its URL when the new one serves and the router knows. */
    public String restart(String why, int seconds) {
        keeper.restart(why, Duration.ofSeconds(seconds));
        return keeper.url();
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
        ended.complete(null);
        return true;
    }
}
