/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.bridge.LogTail;
import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.engine.EnginePort;
import dev.sglangray.workers.engine.EngineRecord;
import dev.sglangray.workers.engine.EngineSettings;
import dev.sglangray.workers.engine.RegistryPort;
import dev.sglangray.workers.gang.GangProcess;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.LoopCalls;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.HandoverFile;
import dev.sglangray.workers.node.RayNode;
import dev.sglangray.workers.node.SealedSpec;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.process.EngineForks;
import dev.sglangray.workers.process.HttpServerProcess;
import dev.sglangray.workers.process.Incarnation;
import dev.sglangray.workers.process.LivenessProbe;
import dev.sglangray.workers.process.ManagedProcess;
import dev.sglangray.workers.process.ProcessFactory;
import dev.sglangray.workers.process.ServerProcess;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.EventJournal;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.MonotonicClock;
import dev.sglangray.workers.supervision.SupervisionStatus;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import okhttp3.OkHttpClient;
import org.jspecify.annotations.Nullable;

/**
 * The Ray actor that owns one engine: a thin shell around an {@link EngineController}, which decides, on an event loop of its own.
 * RLinf's class of the same name; here it takes its specification as JSON and answers with strings and booleans. Questions and the
 * shutdown are answered while {@link #initServer()} is under way. Should Ray replace the actor's process, the new one starts the
 * engine again by itself.
 *
 * <p>All methods throw {@link WorkerFailure} with a text for people.
 */
public class SGLangServerWorker {
    /** One call that watches is renewed this often, so that one whose caller is gone does not hold a thread for long. */
    private static final Duration WATCH = Duration.ofMinutes(1);

    private static final Duration QUICK = Duration.ofSeconds(10);
    /** A drain whose caller says no lease ends by itself after its own time and this. */
    private static final Duration AFTER_DRAIN = Duration.ofHours(1);

    private final SealedSpec<ServerSpec> spec;
    private final WorkerNode node;
    private final ProcessFactory kit;
    private final String key;
    private final ThreadLoop loop;
    private final EventJournal journal;
    private final EngineForks forks = new EngineForks();
    private final ManagedProcess process;
    private final EngineRequests requests;
    private final EngineController controller;
    private final List<RayPartPort> parts;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    /**
     * Called by Ray.
     *
     * @param specJson a {@link ServerSpec} as JSON, its secrets sealed
     */
    public SGLangServerWorker(String specJson) {
        ServerSpec sealed = ProtocolJson.read(specJson, ServerSpec.class);
        OkHttpClient http = WorkerHttp.create();
        node = RayNode.current();
        kit = ProcessFactory.of(node);
        MonotonicClock clock = new MonotonicClock();
        loop = new ThreadLoop(sealed.actorName(), clock);
        HandoverFile file = HandoverFile.open(sealed.actorName(), node, loop);
        spec = new SealedSpec<>(specJson, json -> ProtocolJson.read(json, ServerSpec.class), file);
        ServerSpec first = spec.get();
        journal = new EventJournal(
                first.actorName(), clock, text -> spec.get().secrets().hide(text));
        key = Ray.getRuntimeContext().getCurrentActorId().toString();
        LivenessProbe probe = new LivenessProbe(
                http, first.supervision().probe(), first.supervision().probeTimeout());
        process = new ManagedProcess("engine", incarnation -> engineProcess(http, incarnation), probe::require, loop);
        parts = IntStream.rangeClosed(1, first.furtherParts().size())
                .mapToObj(number -> new RayPartPort(first, number, loop))
                .toList();
        requests = new EngineRequests(
                "the engine", http, process::url, () -> spec.get().apiKey());
        RegistryPort registry =
                first.routerGroup() == null ? RayRegistryPort.none() : new RayRegistryPort(first.routerGroup(), loop);
        CheckpointCheck check =
                new CheckpointCheck(() -> spec.get().initialWeights().path(), node.ip());
        EngineSettings settings = new EngineSettings(
                key,
                first.actorName(),
                () -> spec.get().initialWeights(),
                first.updateWeights(),
                Boolean.TRUE.equals(first.serverArgs().get("enable_weights_cpu_backup")),
                first.healthTimeout(),
                this::processEndpoint,
                () -> first.memoryRefusal(node),
                path -> first.weightsRefusal().or(() -> path == null ? Optional.empty() : check.refuse(path)));
        boolean restarted = Ray.getRuntimeContext().wasCurrentActorRestarted();
        controller = new EngineController(
                settings,
                first.supervision(),
                loop,
                journal,
                process,
                partsHave(requests.port(loop)),
                registry,
                file.section("engine", EngineRecord.class),
                first.groupSize(),
                restarted);
        if (restarted) {
            String url = controller.record().url();
            if (url != null) {
                process.inherit(url);
            }
            if (spec.isOpen()) {
                openForks();
            }
            loop.execute(controller::inherit);
        }
    }

    /** Takes the key to the secrets of the specification; the first call of the actor's creator. */
    public boolean unseal(String keyJson) {
        boolean opened = spec.unseal(keyJson);
        openForks();
        return opened;
    }

    /** The imports begin here, while the rest of the launch goes on. */
    private void openForks() {
        ServerSpec opened = spec.get();
        forks.open(HttpServerProcess.forkServer(opened, kit));
        for (RayPartPort part : parts) {
            var unused = part.open(opened.part(part.number()), opened.healthTimeout(), ended);
        }
    }

    private ServerProcess engineProcess(OkHttpClient http, Incarnation incarnation) {
        BiFunction<ServerSpec, Incarnation, ServerProcess> process =
                (ofPart, number) -> HttpServerProcess.engine(ofPart, kit, http, number, forks);
        ServerSpec now = spec.get();
        return now.spansNodes()
                ? new GangProcess(now, kit, process, forks, parts, loop, incarnation)
                : process.apply(now, incarnation);
    }

    /** Why a further part cannot load weights from a folder, in words; empty when all can. */
    private CompletableFuture<String> partsRefusal(String path) {
        String model = Objects.requireNonNullElse(spec.get().initialWeights().path(), "");
        CompletableFuture<String> all = CompletableFuture.completedFuture("");
        for (RayPartPort part : parts) {
            CompletableFuture<String> one = part.refusal(model, path)
                    .exceptionally(failure -> "part " + part.number() + " on " + part.node() + " cannot be asked: "
                            + EventLoop.words(failure));
            all = all.thenCombine(one, (before, why) -> before.isEmpty() ? why : before);
        }
        return all;
    }

    /**
     * SGLang asks part 0 alone whether weights were loaded, so that an engine would serve with the old ones of a part that has no
     * such folder.
     */
    private EnginePort partsHave(EnginePort engine) {
        return parts.isEmpty()
                ? engine
                : new EnginePort() {
                    @Override
                    public CompletableFuture<Answer> post(String path, Map<String, ?> body, Duration timeout) {
                        if (!(body.get("model_path") instanceof String folder)) {
                            return engine.post(path, body, timeout);
                        }
                        return loop.here(partsRefusal(folder))
                                .thenCompose(why -> why.isEmpty()
                                        ? engine.post(path, body, timeout)
                                        : CompletableFuture.completedFuture(new Answer(400, why)));
                    }

                    @Override
                    public CompletableFuture<Answer> postBucket(
                            WeightUpdate update, int index, Map<String, ?> more, Duration timeout) {
                        return engine.postBucket(update, index, more, timeout);
                    }

                    @Override
                    public CompletableFuture<OptionalInt> requests(Duration timeout) {
                        return engine.requests(timeout);
                    }
                };
    }

    private @Nullable ServerEndpoint processEndpoint() {
        String url = process.knownUrl();
        Integer bootstrapPort = process.lifecycle().snapshot().bootstrapPort();
        return url == null ? null : spec.get().endpoint(url, bootstrapPort, key);
    }

    private void requireNotLost() {
        SupervisionStatus now = controller.standing();
        if (now.isLost()) {
            throw new WorkerFailure(now.describe("engine"));
        }
    }

    /** The engine's routes; fails once the engine is lost. */
    private EngineRequests engine() {
        requireNotLost();
        return requests;
    }

    private <T> T ask(Duration timeout, Supplier<CompletableFuture<T>> question) {
        return LoopCalls.await(loop, timeout, question);
    }

    private <T> T now(Supplier<T> question) {
        return ask(QUICK, () -> CompletableFuture.completedFuture(question.get()));
    }

    private static Duration seconds(int seconds) {
        return Duration.ofSeconds(seconds);
    }

    /** Starts the engine; returns its URL when it is healthy. */
    public String initServer() {
        String url = process.startFirst(controller::signal);
        loop.execute(() -> controller.adopt(url));
        // Its fleet may have had an update before this engine was added. A launch does not depend on the answer.
        ask(Duration.ofHours(1), () -> controller.awaitFleetWeights(QUICK));
        return url;
    }

    /** The engine's URL, which it keeps when it is restarted. */
    public String getServerUrl() {
        requireNotLost();
        return process.url();
    }

    /** A {@link ServerEndpoint} as JSON, with which the engine can be registered. */
    public String endpoint() {
        return ProtocolJson.write(now(controller::endpoint));
    }

    /** Whether the engine runs and answers. */
    public boolean isHealthy() {
        // SGLang generates for /health, which an engine that is held back cannot do, and without its memory not
        // survive.
        boolean held = now(() -> !controller.conditions().isEmpty());
        return held ? controller.standing().isServing() : process.lifecycle().isHealthy();
    }

    /** A {@link WorkerStatus} as JSON. */
    public String status() {
        ServerSpec of = spec.get();
        return now(() -> ProtocolJson.write(process.status(
                of.identity(controller.record().groupSize()),
                node,
                of.devices(node),
                controller.standing(),
                controller.isWithheld(),
                new WorkerStatus.ServicePart(controller.weightVersion(), controller.conditions(), Map.of()))));
    }

    /** The group has so many engines from now on. */
    public boolean resize(int engines) {
        ask(QUICK, () -> controller.resize(engines));
        return true;
    }

    /** The last lines of the engine's log. */
    public String logTail(int lines) {
        return process.lifecycle().logTail(lines);
    }

    /**
     * A {@link LogTail.Piece} of the engine's log as JSON, without secrets.
     *
     * @param positionJson the {@link LogTail.Position} where an earlier piece ended; empty for the last lines
     * @param lines how many of the last lines
     */
    public String logPiece(String positionJson, int lines) {
        return ProtocolJson.write(
                spec.get().secrets().hide(process.lifecycle().snapshot().logPiece(position(positionJson), lines)));
    }

    static LogTail.@Nullable Position position(String json) {
        return json.isEmpty() ? null : ProtocolJson.read(json, LogTail.Position.class);
    }

    /** The last events from a number on, a JSON list of {@link dev.sglangray.workers.supervision.Event}. */
    public String events(long from) {
        return ProtocolJson.write(journal.from(from));
    }

    /** An {@link EngineLoad} as JSON; without values while the engine does not serve. */
    public String load() {
        return ProtocolJson.write(controller.standing().isServing() ? requests.load() : EngineLoad.UNKNOWN);
    }

    /** Ends requests of the engine: those of one id, or all for an empty id. */
    public boolean abort(String requestId) {
        return engine().abort(requestId);
    }

    /** Stops looking whether the engine generates; or looks again. */
    public boolean pauseProbes(boolean paused) {
        return now(() -> {
            controller.pauseProbes(paused);
            return true;
        });
    }

    /**
     * Keeps new requests away from the engine and waits for those that it has.
     *
     * @param leaseSeconds after this the drain ends by itself; 0 for the default, an hour after its time
     * @return how many it still has when the time is over; -1 when the engine cannot tell
     */
    public int drain(int seconds, int leaseSeconds) {
        Duration lease =
                leaseSeconds > 0 ? seconds(leaseSeconds) : seconds(seconds).plus(AFTER_DRAIN);
        return ask(seconds(seconds), () -> controller.drain(seconds(seconds), lease));
    }

    /** Lets new requests come to a drained engine. */
    public boolean undrain(int seconds) {
        return ask(seconds(seconds), () -> controller.undrain(seconds(seconds)));
    }

    /** Releases accelerator memory: keeps requests away, waits until there are none, and lets the engine release. */
    public boolean releaseMemory(String tagsJson, int seconds) {
        return ask(seconds(seconds), () -> controller.release(ProtocolJson.texts(tagsJson), seconds(seconds)));
    }

    /** Takes released memory back; with all of it the engine gets requests again, once it has its fleet's weights. */
    public boolean resumeMemory(String tagsJson, int seconds) {
        return ask(seconds(seconds), () -> controller.resume(ProtocolJson.texts(tagsJson), seconds(seconds)));
    }

    /** Stops generation; the mode is a name of {@link PauseMode}. */
    public boolean pauseGeneration(String mode, int seconds) {
        return ask(seconds(seconds), () -> controller.pause(PauseMode.valueOf(mode), seconds(seconds)));
    }

    /** Lets generation continue. */
    public boolean continueGeneration(int seconds) {
        return ask(seconds(seconds), () -> controller.continueGeneration(seconds(seconds)));
    }

    /** Empties the engine's cache of prefixes, which it refuses while it has requests. */
    public boolean flushCache(int seconds) {
        return engine().require("/flush_cache", Map.of(), seconds(seconds));
    }

    /** One of the engine's control routes, for a body as JSON; its answer as JSON. */
    public String engineCall(String route, String bodyJson, int seconds) {
        return engine().answered(route, ProtocolJson.map(ProtocolJson.tree(bodyJson)), seconds(seconds));
    }

    /** The group of the fleet's router; empty for none. */
    public String routerGroup() {
        return Objects.requireNonNullElse(spec.get().routerGroup(), "");
    }

    /** What this worker knows of its fleet's weights, as JSON. */
    public String fleetWeights() {
        return ProtocolJson.write(now(() -> controller.record().fleet()));
    }

    /** Makes ready for the update of an {@link UpdateNotice}; an {@code UpdateOutcome}, both as JSON. */
    public String prepareUpdate(String noticeJson, int seconds, int leaseSeconds) {
        UpdateNotice notice = ProtocolJson.read(noticeJson, UpdateNotice.class);
        String refusal = notice.path() == null
                ? ""
                : partsRefusal(notice.path())
                        .completeOnTimeout("", seconds, TimeUnit.SECONDS)
                        .join();
        if (!refusal.isEmpty()) {
            return ProtocolJson.write(UpdateOutcome.of(UpdateOutcome.Result.REFUSED, refusal));
        }
        return ProtocolJson.write(
                ask(seconds(seconds), () -> controller.prepare(notice, seconds(seconds), seconds(leaseSeconds))));
    }

    /** Loads the weights of a {@link WeightUpdate} for which the engine is ready; an {@code UpdateOutcome}, both as JSON. */
    public String applyUpdate(String id, String updateJson, int seconds) {
        WeightUpdate update = ProtocolJson.read(updateJson, WeightUpdate.class);
        return ProtocolJson.write(ask(seconds(seconds), () -> controller.apply(id, update, seconds(seconds))));
    }

    /** Ends an update: the fleet has these weights now. Empty, or what keeps the engine from serving, in words. */
    public String settleUpdate(String fleetWeightsJson, String id, int seconds) {
        FleetWeights fleet = ProtocolJson.read(fleetWeightsJson, FleetWeights.class);
        return ask(seconds(seconds), () -> controller.settle(fleet, id, seconds(seconds)));
    }

    /** Replaces the engine's process; returns its URL when the new one serves and the router knows. */
    public String restart(String why, int seconds) {
        ask(seconds(seconds), () -> controller.restart(why, seconds(seconds)));
        requireNotLost();
        return process.url();
    }

    /** Reports to the registry, under a new epoch, how the engine stands; does not wait for it. */
    public boolean reportAgain() {
        loop.execute(controller::reportAgain);
        return true;
    }

    /** Answers {@code alive} after a while, or {@code ended} after the shutdown: its caller learns when this process dies. */
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
        CompletableFuture<Boolean> decided = loop.ask(() -> {
            controller.end();
            return CompletableFuture.completedFuture(true);
        });
        LoopCalls.join(decided.completeOnTimeout(false, QUICK.toSeconds(), TimeUnit.SECONDS));
        // At the same time: those of nodes that are gone do not answer.
        List<CompletableFuture<Boolean>> ends =
                parts.stream().map(RayPartPort::shutdown).toList();
        process.shutdown();
        forks.close();
        ends.forEach(end -> LoopCalls.join(end.completeOnTimeout(false, QUICK.toSeconds(), TimeUnit.SECONDS)));
        if (ended.complete(null)) {
            journal.add(EventKind.STOPPED, "the engine was ended");
        }
        return true;
    }
}
