/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.ProbeKind;
import io.ray.api.ActorHandle;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import okhttp3.OkHttpClient;

/**
 * The Ray actor that owns the router, a thin shell around what keeps it running and its servers known. RLinf's class of the
 * same name. Servers are registered side by side; questions and the shutdown are answered meanwhile. Should Ray replace the
 * actor's process, the new one starts the router anew by itself, at the same URL.
 *
 * <p>All methods throw {@link WorkerFailure} with a text for people.
 */
public class SGLangRouterWorker {
    private static final Duration ASK_ENGINE = Duration.ofSeconds(10);
    private static final Duration BACK_SOON = Duration.ofMinutes(1);
    private static final Duration FIRST_DOUBT = Duration.ofSeconds(1);

    private final WorkerMemory memory;
    private final Keeper keeper;
    private final RouterArguments arguments;
    private final RouterChange change;
    private final Roster roster;
    private final RouterDesk desk;
    private final EngineWatch watch;
    private final EngineLine line;
    private final EngineDoubts doubts;
    private final ScheduledExecutorService timer;
    private final ExecutorService threads;
    private final Secrets secrets;

    /**
     * Called by Ray.
     *
     * @param specJson a {@link RouterSpec} as JSON
     */
    public SGLangRouterWorker(String specJson) {
        RouterSpec spec = Json.read(specJson, RouterSpec.class);
        OkHttpClient http = WorkerHttp.create();
        ChildKit kit = ChildKit.of(RayNode.current());
        memory = WorkerMemory.open(WorkerNames.actor(spec.groupName(), 0), kit.node());
        RouterLifecycle first = new RouterLifecycle(spec, kit, http);
        secrets = Secrets.of(spec.routerArgs(), spec.environment());
        roster = new Roster(memory.file("roster"));
        // A router generates nothing itself, so its health is all there is to ask.
        LivenessProbe probe =
                new LivenessProbe(http, ProbeKind.HEALTH, spec.supervision().probeTimeout());
        desk = new RouterDesk(
                roster,
                probe,
                url -> new WorkersRouterApi(url, first.apiKey(), http),
                SGLangRouterWorker::completed,
                new WeightQuestion(http)::ask);
        threads =
                new ThreadPoolExecutor(0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), threads());
        watch = new EngineWatch(threads, EngineWatch::ask, this::onDeath);
        line = new EngineLine(threads, this::onRefused);
        timer = Executors.newSingleThreadScheduledExecutor(threads());
        doubts = new EngineDoubts(
                timer, SGLangRouterWorker::askToTell, url -> roster.suspended().contains(url), FIRST_DOUBT);
        arguments = new RouterArguments(spec.routerArgs(), memory.file("arguments"));
        change = new RouterChange(
                arguments,
                (present, incarnation) -> new RouterLifecycle(spec.with(present), kit, http, incarnation),
                new RouterSchema(kit, kit.interpreter(spec.pythonInterpreter(), spec.environment())));
        if (Ray.getRuntimeContext().wasCurrentActorRestarted()) {
            arguments.inherit();
        }
        keeper = new Keeper(
                WorkerNames.actor(spec.groupName(), 0),
                "router",
                spec.supervision(),
                secrets,
                change::next,
                desk,
                memory.file("router"));
        desk.report(keeper.journal());
        if (Ray.getRuntimeContext().wasCurrentActorRestarted()) {
            roster.inherit();
            if (keeper.inherit(url -> {})) {
                roster.active().forEach(this::watch);
            }
        }
    }

    private static ThreadFactory threads() {
        return task -> {
            Thread thread = new Thread(task, "sglang-ray-engine-watch");
            thread.setDaemon(true);
            thread.setContextClassLoader(SGLangRouterWorker.class.getClassLoader());
            return thread;
        };
    }

    /** An engine's own worker knows its key and its present URL. */
    private static ServerEndpoint completed(ServerEndpoint kept) {
        if (kept.actor() == null) {
            return kept;
        }
        Optional<ActorHandle<SGLangServerWorker>> worker = Ray.getActor(kept.actor());
        if (worker.isEmpty()) {
            throw new WorkerFailure("the worker " + kept.actor() + " is gone");
        }
        try {
            String json = RefWaiter.shared()
                    .watch(worker.get().task(SGLangServerWorker::endpoint).remote())
                    .get(ASK_ENGINE.toMillis(), TimeUnit.MILLISECONDS);
            return Json.read(json, ServerEndpoint.class);
        } catch (ExecutionException | TimeoutException e) {
            throw new WorkerFailure("the worker " + kept.actor() + " does not tell its endpoint: " + e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerFailure("the question to " + kept.actor() + " was interrupted");
        }
    }

    private void watch(ServerEndpoint server) {
        if (server.actor() != null) {
            watch.watch(server.actor());
            line.watch(server.url());
        }
    }

    private void onDeath(String actor) {
        for (ServerEndpoint server : roster.active()) {
            if (actor.equals(server.actor())) {
                suspect(server, actor, "its worker " + actor + " died");
            }
        }
    }

    private void onRefused(String url) {
        roster.active(url)
                .filter(server -> server.actor() != null)
                .ifPresent(server ->
                        suspect(server, Objects.requireNonNull(server.actor()), "nothing listens there any more"));
    }

    private void suspect(ServerEndpoint server, String actor, String why) {
        try {
            desk.suspend(server.url(), why);
        } catch (WorkerFailure | RouterApiException e) {
            keeper.tellAgain();
        }
        doubts.add(actor, server.url());
    }

    private static Optional<CompletableFuture<Boolean>> askToTell(String actor) {
        Optional<ActorHandle<SGLangServerWorker>> found = Ray.getActor(actor);
        return found.map(worker -> RefWaiter.shared()
                .watch(worker.task(SGLangServerWorker::tellRouterAgain).remote()));
    }

    /** Starts the router without servers; returns its URL when it is healthy. */
    public String initRouter() {
        String url = keeper.start();
        desk.open(url);
        return url;
    }

    /** The router's URL, which it keeps when it is restarted. */
    public String getRouterUrl() {
        return keeper.url();
    }

    /**
     * Adds a server; returns a {@link RegisteredServer} as JSON when the router sends requests to it.
     *
     * @param bootstrapPort a prefill server's bootstrap port, else 0
     */
    public String registerServer(String url, String workerType, int bootstrapPort) {
        return register(new ServerEndpoint(url, workerType, bootstrapPort == 0 ? null : bootstrapPort, null));
    }

    /** As {@link #registerServer} for a {@link ServerEndpoint} as JSON. */
    public String registerEndpoint(String endpointJson) {
        return register(Json.read(endpointJson, ServerEndpoint.class));
    }

    private String register(ServerEndpoint server) {
        RegisteredServer registered = request(() -> desk.register(server, RouterApi.DEFAULT_REGISTRATION_TIMEOUT));
        watch(server);
        return Json.write(registered);
    }

    /** Takes a server away; false when the router does not have it. */
    public boolean unregisterServer(String url) {
        return request(() -> desk.unregister(url));
    }

    /** No requests to a server for now; it stays one of the router's. False when it is none of them. */
    public boolean suspendServer(String url) {
        return control(() -> desk.suspend(url, "its worker said so"));
    }

    /** Requests to a server again, perhaps at a new URL; false when it is none of the router's. */
    public boolean resumeServer(String oldUrl, String endpointJson) {
        ServerEndpoint endpoint = Json.read(endpointJson, ServerEndpoint.class);
        boolean member = control(() -> desk.resume(oldUrl, endpoint));
        if (member) {
            watch(endpoint);
        }
        return member;
    }

    /** What weights the router's servers are to have, as JSON. */
    public String fleetWeights() {
        return Json.write(desk.weights());
    }

    /** From now on the router's servers are to have these weights; the others get no requests unless mixing is wanted. */
    public boolean commitWeights(String fleetWeightsJson, boolean mixing) {
        try {
            desk.commit(Json.read(fleetWeightsJson, FleetWeights.class), mixing);
        } catch (RouterApiException e) {
            // The router that runs is to be told all again, and then forgets those.
            keeper.tellAgain();
        }
        return true;
    }

    /** A list of {@link RegisteredServer} as JSON. */
    public String servers() {
        return Json.write(request(desk::servers));
    }

    /** Waits for a router that is being replaced. */
    private <T> T request(Supplier<T> wanted) {
        keeper.requireSoon(BACK_SOON);
        return control(wanted);
    }

    private <T> T control(Supplier<T> wanted) {
        try {
            return wanted.get();
        } catch (RouterApiException e) {
            throw new WorkerFailure(secrets.hide(String.valueOf(e.getMessage())));
        }
    }

    /** Keeps what the fleet's owner did with the events. */
    public boolean remark(String text) {
        keeper.journal().add(EventKind.FLEET, text);
        return true;
    }

    /** Whether the router runs and answers. */
    public boolean isHealthy() {
        return keeper.isHealthy();
    }

    /** A {@link WorkerStatus} as JSON. */
    public String status() {
        Weights updated = desk.weights().updated();
        return Json.write(keeper.status()
                .with(updated == null ? null : updated.version(), List.of())
                .withChanges(arguments.changes()));
    }

    /** The last lines of the router's log. */
    public String logTail(int lines) {
        return keeper.logTail(lines);
    }

    /** The last events from a number on, a JSON list of {@link dev.sglangray.workers.supervision.Event}. */
    public String events(long from) {
        return Json.write(keeper.events(from));
    }

    /** Replaces the router's process; returns its URL, the same, when the new one has all its servers. */
    public String restart(String why, int seconds) {
        keeper.restart(why, Duration.ofSeconds(seconds));
        return keeper.url();
    }

    /**
     * Replaces the router's process by one with other arguments, at the same URL and with the same servers, and returns the URL.
     * They hold for all later restarts. Where the new router does not come up, the old arguments are put back.
     *
     * @param changesJson a JSON map by argument's name; null for the router's own default
     */
    public String replace(String changesJson, int seconds) {
        try {
            change.apply(keeper, Json.map(Json.tree(changesJson)), keeper.journal(), Duration.ofSeconds(seconds));
        } catch (WorkerFailure e) {
            throw new WorkerFailure(secrets.hide(String.valueOf(e.getMessage())));
        }
        return keeper.url();
    }

    /** Ends the router; true when all of it is gone. Aborts a start that is under way. */
    public boolean shutdown() {
        watch.close();
        line.close();
        timer.shutdownNow();
        change.close();
        keeper.close();
        desk.close();
        memory.close();
        threads.shutdown();
        return true;
    }
}
