/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.bridge.LogTail;
import dev.sglangray.workers.loop.LoopCalls;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.HandoverFile;
import dev.sglangray.workers.node.RayNode;
import dev.sglangray.workers.node.SealedSpec;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.process.HttpServerProcess;
import dev.sglangray.workers.process.LivenessProbe;
import dev.sglangray.workers.process.ProcessFactory;
import dev.sglangray.workers.process.RouterSpec;
import dev.sglangray.workers.process.SecretRedactor;
import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.ServerUrl;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerNames;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.EngineRegistry;
import dev.sglangray.workers.registry.RegistryRecord;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.router.RouterArguments;
import dev.sglangray.workers.router.RouterKeeper;
import dev.sglangray.workers.router.RouterReconfiguration;
import dev.sglangray.workers.router.RouterSchema;
import dev.sglangray.workers.router.WorkersRouterApi;
import dev.sglangray.workers.supervision.EventJournal;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.MonotonicClock;
import dev.sglangray.workers.supervision.ProbeKind;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;

/**
 * The Ray actor that owns the router: a thin shell around what keeps the router running and the {@link EngineRegistry}, which
 * decides which servers the router sends to. RLinf's class of the same name. No method but the starts and replacements of the router
 * and {@link #generate} waits for anything but the registry's event loop. Should Ray replace the actor's process, the new one starts the router again by
 * itself, at the same URL.
 *
 * <p>All methods throw {@link WorkerFailure} with a text for people.
 */
public class SGLangRouterWorker {
    private static final Duration QUICK = Duration.ofSeconds(10);
    /** A router that answers is without a server at once. */
    private static final Duration OUT = Duration.ofSeconds(3);
    /** Beyond its own time a replacement puts the old arguments back. */
    private static final int REPLACEMENT_SECONDS = 60;

    private final SealedSpec<RouterSpec> spec;
    private final ThreadLoop loop;
    private final RouterKeeper keeper;
    private final RouterArguments arguments;
    private final RouterReconfiguration change;
    private final EngineRegistry registry;
    private final RayWorkersPort workers;
    private final EngineRequests requests;
    private final WorkerNode node;

    /**
     * Called by Ray.
     *
     * @param specJson a {@link RouterSpec} as JSON, its secrets sealed
     */
    public SGLangRouterWorker(String specJson) {
        RouterSpec sealed = ProtocolJson.read(specJson, RouterSpec.class);
        OkHttpClient http = WorkerHttp.create();
        node = RayNode.current();
        ProcessFactory kit = ProcessFactory.of(node);
        String actor = WorkerNames.actor(sealed.groupName(), 0);
        MonotonicClock clock = new MonotonicClock();
        loop = new ThreadLoop(actor, clock);
        HandoverFile file = HandoverFile.open(actor, kit.node(), loop);
        spec = new SealedSpec<>(specJson, json -> ProtocolJson.read(json, RouterSpec.class), file);
        EventJournal journal = new EventJournal(actor, clock, text -> secrets().hide(text));
        boolean restarted = Ray.getRuntimeContext().wasCurrentActorRestarted();
        workers = new RayWorkersPort(loop);
        registry =
                new EngineRegistry(loop, journal, workers, file.section("registry", RegistryRecord.class), restarted);
        arguments = new RouterArguments(
                () -> spec.get().routerArgs(), file.section("arguments", RouterArguments.Kept.class));
        change = new RouterReconfiguration(
                arguments,
                (present, incarnation) -> HttpServerProcess.router(spec.get().with(present), kit, http, incarnation),
                new RouterSchema(
                        kit,
                        kit.interpreter(
                                spec.get().pythonInterpreter(), spec.get().environment()),
                        sealed.routerType()));
        if (restarted) {
            arguments.inherit();
        }
        // A router generates nothing itself, so its health is all there is to ask.
        LivenessProbe probe =
                new LivenessProbe(http, ProbeKind.HEALTH, sealed.supervision().probeTimeout());
        Supplier<@Nullable String> apiKey = () -> spec.get().apiKey();
        keeper = new RouterKeeper(
                sealed.supervision(),
                loop,
                journal,
                change::next,
                probe::require,
                registry,
                url -> new WorkersRouterApi(url, apiKey.get(), arguments.isOn("enable_igw"), http, loop),
                file.section("router", RouterKeeper.Kept.class));
        requests = new EngineRequests("the router", http, keeper::url, apiKey);
        if (restarted) {
            boolean unused = keeper.inherit();
            if (spec.isOpen()) {
                loop.execute(() -> registry.watch(spec.get().externalServers()));
            }
        }
    }

    /** Takes the key to the secrets of the specification; the first call of the actor's creator. */
    public boolean unseal(String keyJson) {
        return spec.unseal(keyJson);
    }

    private SecretRedactor secrets() {
        return spec.get().secrets();
    }

    private <T> T ask(Supplier<CompletableFuture<T>> question) {
        try {
            return LoopCalls.await(loop, QUICK, question);
        } catch (WorkerFailure e) {
            throw new WorkerFailure(secrets().hide(String.valueOf(e.getMessage())));
        }
    }

    private <T> T now(Supplier<T> question) {
        return ask(() -> CompletableFuture.completedFuture(question.get()));
    }

    /** Starts the router without servers; returns its URL when it is healthy. */
    public String initRouter() {
        loop.execute(() -> registry.watch(spec.get().externalServers()));
        return keeper.start();
    }

    /** The router's URL, which it keeps when it is restarted. */
    public String getRouterUrl() {
        return keeper.url();
    }

    /** Has the router answer one request to its {@code /generate}; its answer, as JSON. Not repeated when it fails. */
    public String generate(String bodyJson, int seconds) {
        try {
            return requests.answered(
                    "/generate", ProtocolJson.map(ProtocolJson.tree(bodyJson)), Duration.ofSeconds(seconds));
        } catch (WorkerFailure e) {
            throw new WorkerFailure(secrets().hide(String.valueOf(e.getMessage())));
        }
    }

    /** Makes the server of a {@link ServerEndpoint} as JSON a member; returns the key to ask {@link #registration} by. */
    public String register(String endpointJson) {
        ServerEndpoint endpoint = ProtocolJson.read(endpointJson, ServerEndpoint.class);
        ServerEndpoint spelled = endpoint.actor() == null ? endpoint.withUrl(spelled(endpoint.url())) : endpoint;
        return now(() -> registry.register(spelled));
    }

    /** A server's URL as the registry has it, if it has the server under any spelling or name. */
    private String spelled(String url) {
        try {
            String base = ServerUrl.of(url);
            List<String> known = now(registry::view).members().stream()
                    .map(RegistryView.MemberView::url)
                    .toList();
            return ServerUrl.known(base, known, node.ip());
        } catch (IllegalArgumentException e) {
            throw new WorkerFailure(String.valueOf(e.getMessage()));
        }
    }

    /** How far a registration is, as JSON: an {@link EngineRegistry.Registration}. */
    public String registration(String key) {
        return ProtocolJson.write(ask(() -> registry.registration(key)));
    }

    /** Takes a server away; false when it was not registered. Works while the router is away. */
    public boolean unregisterServer(String url) {
        String spelled = spelled(url);
        return ask(() -> registry.unregister(spelled)
                .thenCompose(was -> registry.awaitOut(spelled, OUT).thenApply(out -> was)));
    }

    /** Takes a server away whose registration was not listed in time, as {@link #unregisterServer}. */
    public boolean giveUp(String url) {
        String spelled = spelled(url);
        return ask(() -> registry.giveUp(spelled)
                .thenCompose(was -> was
                        ? registry.awaitOut(spelled, OUT).thenApply(out -> true)
                        : CompletableFuture.completedFuture(false)));
    }

    /** Takes the engine of a worker away for good; false when it was not registered. */
    public boolean retire(String key) {
        return ask(() -> registry.retire(key));
    }

    /** Takes an {@link EngineReport}; a {@code ReportReply}, both as JSON. */
    public String reportEngine(String reportJson) {
        EngineReport report = ProtocolJson.read(reportJson, EngineReport.class);
        return ProtocolJson.write(now(() -> registry.report(report)));
    }

    /** What weights the router's servers must have, as JSON. */
    public String fleetWeights() {
        return ProtocolJson.write(now(registry::weights));
    }

    /** From now on servers must have these weights to get requests; an {@link EngineRegistry.Commit} as JSON. Repeatable. */
    public String commitWeights(String fleetWeightsJson, String token) {
        FleetWeights weights = ProtocolJson.read(fleetWeightsJson, FleetWeights.class);
        return ProtocolJson.write(ask(() -> registry.commit(weights, token)));
    }

    /** Begins a change of the fleet; empty when it has begun, else why not, in words. */
    public String beginChange(String kind, String token, int leaseSeconds) {
        return ask(() -> registry.beginChange(kind, token, Duration.ofSeconds(leaseSeconds)));
    }

    /** Ends a change of the fleet; false when it was over already. */
    public boolean endChange(String token) {
        return now(() -> registry.endChange(token));
    }

    /** A {@link RegistryView} as JSON. */
    public String registry() {
        return ProtocolJson.write(ask(registry::freshView));
    }

    /** What the router lists of the registry's servers, and of others, as a JSON list of {@link RegisteredServer}. */
    public String servers() {
        RegistryView view = ask(registry::freshView);
        if (view.problem() != null) {
            throw new WorkerFailure("the router's list is not known: " + view.problem());
        }
        List<RegisteredServer> servers = view.members().stream()
                .filter(member -> member.id() != null)
                .map(member -> new RegisteredServer(
                        String.valueOf(member.id()),
                        member.url(),
                        member.workerType(),
                        member.model(),
                        member.listed()))
                .toList();
        return ProtocolJson.write(servers);
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
        Weights updated = now(registry::weights).updated();
        return ProtocolJson.write(keeper.status(
                new WorkerStatus.Identity("router", spec.get().groupName(), 0, 1, "", "", "", false),
                node,
                new WorkerStatus.ServicePart(
                        updated == null ? null : updated.version(), List.of(), arguments.changes())));
    }

    /** The last lines of the router's log. */
    public String logTail(int lines) {
        return keeper.logTail(lines);
    }

    /**
     * A {@link LogTail.Piece} of the router's log as JSON, without secrets.
     *
     * @param positionJson the {@link LogTail.Position} where an earlier piece ended; empty for the last lines
     * @param lines how many of the last lines
     */
    public String logPiece(String positionJson, int lines) {
        return ProtocolJson.write(secrets().hide(keeper.logPiece(SGLangServerWorker.position(positionJson), lines)));
    }

    /** The last events from a number on, a JSON list of {@link dev.sglangray.workers.supervision.Event}. */
    public String events(long from) {
        return ProtocolJson.write(keeper.journal().from(from));
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
        String token = FleetWeights.newId();
        String refusal = beginChange("a replacement of the router", token, seconds + REPLACEMENT_SECONDS);
        if (!refusal.isEmpty()) {
            throw new WorkerFailure(refusal);
        }
        try {
            change.apply(
                    keeper,
                    ProtocolJson.map(ProtocolJson.tree(changesJson)),
                    keeper.journal(),
                    Duration.ofSeconds(seconds));
        } catch (WorkerFailure e) {
            throw new WorkerFailure(secrets().hide(String.valueOf(e.getMessage())));
        } finally {
            boolean unused = endChange(token);
        }
        return keeper.url();
    }

    /** Ends the router; true when all of it is gone. Aborts a start that is under way. */
    public boolean shutdown() {
        change.close();
        keeper.close();
        workers.close();
        return true;
    }
}
