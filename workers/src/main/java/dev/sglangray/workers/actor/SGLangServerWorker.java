/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.engine.EngineRecord;
import dev.sglangray.workers.engine.EngineSettings;
import dev.sglangray.workers.engine.RegistryPort;
import dev.sglangray.workers.loop.LoopCalls;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.HandoverFile;
import dev.sglangray.workers.node.RayNode;
import dev.sglangray.workers.node.SealedSecrets;
import dev.sglangray.workers.process.EngineForks;
import dev.sglangray.workers.process.EngineProcess;
import dev.sglangray.workers.process.LivenessProbe;
import dev.sglangray.workers.process.ManagedProcess;
import dev.sglangray.workers.process.ProcessFactory;
import dev.sglangray.workers.process.SecretRedactor;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.process.WorkerStatuses;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.EventJournal;
import dev.sglangray.workers.supervision.EventKind;
import dev.sglangray.workers.supervision.MonotonicClock;
import dev.sglangray.workers.supervision.SupervisionStatus;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
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

    private final ServerSpec sealed;
    private final SealedSecrets secrets;
    private volatile ServerSpec spec;
    private final ThreadLoop loop;
    private final EventJournal journal;
    private final EngineForks forks = new EngineForks();
    private final ManagedProcess process;
    private final EngineController controller;
    private final EngineRequests control;
    private final String routerGroup;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    /**
     * Called by Ray.
     *
     * @param specJson a {@link ServerSpec} as JSON, its secrets sealed
     */
    public SGLangServerWorker(String specJson) {
        sealed = ProtocolJson.read(specJson, ServerSpec.class);
        OkHttpClient http = WorkerHttp.create();
        ProcessFactory kit = ProcessFactory.of(RayNode.current());
        MonotonicClock clock = new MonotonicClock();
        loop = new ThreadLoop(sealed.actorName(), clock);
        HandoverFile file = HandoverFile.open(sealed.actorName(), kit.node(), loop);
        secrets = new SealedSecrets(file.section("secrets", SealedSecrets.Key.class));
        spec = secrets.open(sealed, ServerSpec.class);
        journal = new EventJournal(
                spec.actorName(),
                clock,
                text -> SecretRedactor.of(spec.serverArgs(), spec.environment()).hide(text));
        routerGroup = spec.routerGroup() == null ? "" : spec.routerGroup();
        String key = Ray.getRuntimeContext().getCurrentActorId().toString();
        LivenessProbe probe = new LivenessProbe(
                http, spec.supervision().probe(), spec.supervision().probeTimeout());
        process = new ManagedProcess(
                "engine",
                incarnation -> new EngineProcess(spec, kit, http, incarnation, forks),
                probe::require,
                loop,
                new Exits());
        control = new EngineRequests("the engine", http, this::engineUrl, () -> engine().apiKey());
        RegistryPort registry =
                spec.routerGroup() == null ? RayRegistryPort.none() : new RayRegistryPort(spec.routerGroup(), loop);
        CheckpointCheck check =
                new CheckpointCheck(spec.initialWeights().path(), kit.node().ip());
        EngineSettings settings = new EngineSettings(
                key,
                spec.actorName(),
                spec.initialWeights(),
                Boolean.TRUE.equals(spec.serverArgs().get("enable_weights_cpu_backup")),
                Duration.ofMillis((long) (spec.healthTimeoutSeconds() * 1000)),
                () -> MemorySupport.refusal(spec, engine().devices()),
                check::refuse);
        boolean restarted = Ray.getRuntimeContext().wasCurrentActorRestarted();
        controller = new EngineController(
                settings,
                spec.supervision(),
                loop,
                journal,
                new ProcessOfEngine(key),
                control.port(loop),
                registry,
                file.section("engine", EngineRecord.class),
                spec.groupSize(),
                restarted);
        if (restarted) {
            String url = controller.record().url();
            if (url != null) {
                process.inherit(url);
            }
            if (secrets.isOpen()) {
                forks.open(engine().forkServer());
            }
            loop.execute(controller::inherit);
        }
    }

    /** Takes the key to the secrets of the specification; the first call of the actor's creator. */
    public boolean unseal(String keyJson) {
        secrets.unseal(ProtocolJson.read(keyJson, SealedSecrets.Key.class));
        spec = secrets.open(sealed, ServerSpec.class);
        process.renew();
        forks.open(engine().forkServer());
        return true;
    }

    /** What the controller does to the process. */
    private final class ProcessOfEngine implements EngineController.EngineProcess {
        private final String key;

        ProcessOfEngine(String key) {
            this.key = key;
        }

        @Override
        public CompletableFuture<Void> start(int incarnation, boolean sameUrl) {
            return process.start(incarnation, sameUrl);
        }

        @Override
        public CompletableFuture<Void> end(int incarnation, boolean gently) {
            return process.end(incarnation, gently);
        }

        @Override
        public CompletableFuture<Void> probe(int incarnation) {
            return process.probe(incarnation);
        }

        @Override
        public @Nullable ServerEndpoint endpoint() {
            String url = process.knownUrl();
            return url == null ? null : engine().endpoint(url, key);
        }
    }

    private final class Exits implements ManagedProcess.Exits {
        @Override
        public void exited(int incarnation, boolean clean, String why) {
            controller.exited(incarnation, clean, why);
        }

        @Override
        public void explained(int incarnation, String why) {
            controller.explained(incarnation, why);
        }
    }

    private EngineProcess engine() {
        return (EngineProcess) process.lifecycle();
    }

    /** The URL, also while the process is being replaced; fails before it was known, and once the engine is lost. */
    private String engineUrl() {
        SupervisionStatus now = controller.standing();
        if (now.isLost()) {
            throw new WorkerFailure(now.describe("engine"));
        }
        String known = process.knownUrl();
        return known == null || ended.isDone() ? engine().url() : known;
    }

    private <T> T ask(Duration timeout, Supplier<CompletableFuture<T>> question) {
        return LoopCalls.await(loop, timeout, question);
    }

    private static Duration seconds(int seconds) {
        return Duration.ofSeconds(seconds);
    }

    /** Starts the engine; returns its URL when it is healthy. */
    public String initServer() {
        String url = process.startFirst();
        ask(QUICK, () -> {
            controller.adopt(url);
            return CompletableFuture.completedFuture(true);
        });
        // Its fleet may have had an update before this engine was added. A launch does not depend on the answer.
        ask(Duration.ofHours(1), () -> controller.awaitFleetWeights(QUICK));
        return url;
    }

    /** The engine's URL, which it keeps when it is restarted. */
    public String getServerUrl() {
        return engineUrl();
    }

    /** A {@link ServerEndpoint} as JSON, with which the engine can be registered. */
    public String endpoint() {
        return ProtocolJson.write(ask(QUICK, () -> CompletableFuture.completedFuture(controller.endpoint())));
    }

    /** Whether the engine runs and answers. */
    public boolean isHealthy() {
        // SGLang generates for /health, which an engine that is held back cannot do, and without its memory not
        // survive.
        boolean held = ask(
                QUICK,
                () -> CompletableFuture.completedFuture(!controller.conditions().isEmpty()));
        return held ? controller.standing().isServing() : process.lifecycle().isHealthy();
    }

    /** A {@link WorkerStatus} as JSON. */
    public String status() {
        WorkerStatus own = process.lifecycle().status();
        return ask(QUICK, () -> {
            List<String> conditions = new ArrayList<>(own.conditions());
            WorkerStatus status = WorkerStatuses.supervised(
                            own,
                            controller.standing(),
                            process.knownUrl(),
                            controller.isWithheld(),
                            controller.conditions())
                    .ofGroup(controller.record().groupSize());
            conditions.addAll(controller.conditions());
            return CompletableFuture.completedFuture(
                    ProtocolJson.write(status.with(controller.weightVersion(), conditions)));
        });
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

    /** The last events from a number on, a JSON list of {@link dev.sglangray.workers.supervision.Event}. */
    public String events(long from) {
        return ProtocolJson.write(journal.from(from));
    }

    /** Ends requests of the engine: those of one id, or all for an empty id. */
    public boolean abort(String requestId) {
        return control.abort(requestId);
    }

    /** Stops looking whether the engine generates; or looks again. */
    public boolean pauseProbes(boolean paused) {
        ask(QUICK, () -> {
            controller.pauseProbes(paused);
            return CompletableFuture.completedFuture(true);
        });
        return true;
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
        return control.require("/flush_cache", Map.of(), seconds(seconds));
    }

    /** One of the engine's control routes, for a body as JSON; its answer as JSON. */
    public String engineCall(String route, String bodyJson, int seconds) {
        return control.answered(route, ProtocolJson.map(ProtocolJson.tree(bodyJson)), seconds(seconds));
    }

    /** The group of the fleet's router; empty for none. */
    public String routerGroup() {
        return routerGroup;
    }

    /** What this worker knows of its fleet's weights, as JSON. */
    public String fleetWeights() {
        return ProtocolJson.write(ask(
                QUICK,
                () -> CompletableFuture.completedFuture(controller.record().fleet())));
    }

    /** Makes ready for the update of an {@link UpdateNotice}; an {@code UpdateOutcome}, both as JSON. */
    public String prepareUpdate(String noticeJson, int seconds, int leaseSeconds) {
        UpdateNotice notice = ProtocolJson.read(noticeJson, UpdateNotice.class);
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
        return engineUrl();
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
        process.shutdown();
        forks.close();
        if (ended.complete(null)) {
            journal.add(EventKind.STOPPED, "the engine was ended");
        }
        return true;
    }
}
