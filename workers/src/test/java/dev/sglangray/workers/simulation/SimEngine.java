/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.engine.EnginePort;
import dev.sglangray.workers.engine.EngineRecord;
import dev.sglangray.workers.engine.EngineSettings;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.supervision.OnDegraded;
import dev.sglangray.workers.supervision.OnNodeLoss;
import dev.sglangray.workers.supervision.ProbeKind;
import dev.sglangray.workers.supervision.ProcessActions;
import dev.sglangray.workers.supervision.RestartMode;
import dev.sglangray.workers.supervision.Signal;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One engine: its worker, whose process dies and is replaced, and its server, which dies with it. */
final class SimEngine {
    /** Heals as long as a simulation lasts; probes have tests of their own. */
    private static final SupervisionPolicy POLICY = new SupervisionPolicy(
            RestartMode.ALWAYS, 1000, 600, 0.2, 2, ProbeKind.NONE, 15, 25, 3, OnDegraded.CONTINUE, OnNodeLoss.WAIT, 30);

    private final Simulation simulation;
    private final World world;
    final int rank;
    final String key;
    final String actor;
    final boolean keepsWeights;
    private final SimStore<EngineRecord> store;
    private boolean initialized;
    boolean gone;
    /** The last step at which the router listed it. */
    int seenAt = -1;

    World.Loop loop;
    EngineController controller;

    @Nullable
    SimServer server;

    private @Nullable String url;

    SimEngine(Simulation simulation, World world, int rank, String key, boolean keepsWeights) {
        this.simulation = simulation;
        this.world = world;
        this.rank = rank;
        this.key = key;
        this.actor = "engines:" + rank;
        this.keepsWeights = keepsWeights;
        this.store = new SimStore<>(
                world,
                record -> simulation.mutation == Mutation.PAUSE_OUTLIVES_RESUME
                        ? simulation.withOldPause(record, storeOnDisk())
                        : record);
        this.loop = world.new Loop();
        this.controller = controller(false);
    }

    private @Nullable EngineRecord storeOnDisk() {
        return store.onDisk();
    }

    private EngineController controller(boolean inherits) {
        World.Loop mine = loop;
        EngineSettings settings = new EngineSettings(
                key,
                actor,
                () -> new Weights("initial", "/models/initial", null),
                true,
                keepsWeights || simulation.mutation == Mutation.GARBAGE_WEIGHTS_SERVE,
                Duration.ofSeconds(20),
                () -> url == null ? null : new ServerEndpoint(url, "regular", null, null, actor, key, 0, null, true),
                Optional::empty,
                path -> Optional.empty());
        return new EngineController(
                settings,
                POLICY,
                mine,
                (kind, text) -> world.note(() -> actor + " " + kind + ": " + text),
                process(mine),
                port(mine),
                report -> simulation.registry.report(mine, report),
                store.in(mine),
                simulation.size(),
                inherits);
    }

    private ProcessActions process(World.Loop mine) {
        return new ProcessActions() {
            @Override
            public CompletableFuture<Void> start(int incarnation, boolean sameUrl, Consumer<Signal> news) {
                return SimEngine.this.start(mine, incarnation, sameUrl, news);
            }

            @Override
            public CompletableFuture<Void> end(int incarnation, boolean gently) {
                CompletableFuture<Void> done = new CompletableFuture<>();
                world.after(world.between(1_000, 300_000), () -> {
                    if (mine.isAlive()) {
                        kill();
                        mine.execute(() -> done.complete(null));
                    }
                });
                return done;
            }

            @Override
            public CompletableFuture<Void> probe(int incarnation) {
                return CompletableFuture.completedFuture(null);
            }
        };
    }

    private void kill() {
        SimServer now = server;
        if (now != null) {
            now.die();
        }
    }

    private CompletableFuture<Void> start(World.Loop mine, int incarnation, boolean sameUrl, Consumer<Signal> news) {
        kill();
        if (simulation.callers.hasReleased(this)) {
            simulation.violate(() -> this + " starts a server, but a caller was told that its memory is released");
        }
        if (url == null || !sameUrl) {
            url = simulation.freshUrl(rank);
        }
        SimServer fresh = new SimServer(
                world,
                url,
                keepsWeights,
                () -> world.after(
                        world.between(500, 50_000),
                        () -> mine.execute(
                                () -> news.accept(new Signal.Exited(incarnation, false, "killed by SIGKILL")))));
        server = fresh;
        simulation.servers.put(url, fresh);
        String where = url;
        world.note(() -> actor + " starts at " + where + " (" + incarnation + ")");
        CompletableFuture<Void> done = new CompletableFuture<>();
        world.after(world.between(100_000, 2_000_000), () -> {
            if (!mine.isAlive() || !fresh.alive) {
                mine.execute(
                        () -> done.completeExceptionally(new IllegalStateException("it ended before it was ready")));
            } else if (!world.isCalm() && world.chance(0.1)) {
                fresh.die();
                mine.execute(() -> done.completeExceptionally(new IllegalStateException("CUDA error")));
            } else {
                fresh.healthy = true;
                mine.execute(() -> done.complete(null));
            }
        });
        return done;
    }

    private EnginePort port(World.Loop mine) {
        return new EnginePort() {
            @Override
            public CompletableFuture<Answer> post(String path, Map<String, ?> body, Duration longest) {
                // A connection leads to one process: its successor never gets the request.
                SimServer there = server();
                return world.call(mine, () -> there.alive, () -> there.post(path, body), longest, false);
            }

            @Override
            public CompletableFuture<Answer> postBucket(
                    WeightUpdate update, int index, Map<String, ?> more, Duration longest) {
                throw new UnsupportedOperationException("updates come from disk here");
            }

            @Override
            public CompletableFuture<OptionalInt> requests(Duration longest) {
                SimServer there = server();
                return world.call(mine, () -> there.alive, there::requests, longest, false);
            }
        };
    }

    SimServer server() {
        return Objects.requireNonNull(server);
    }

    /** The launch's start, which is not repeated: here it always succeeds. */
    CompletableFuture<Void> init() {
        World.Loop mine = loop;
        CompletableFuture<Void> ready = new CompletableFuture<>();
        CompletableFuture<Void> unused = start(mine, 0, false, news -> controller.signal(news))
                .whenComplete((nothing, failure) -> {
                    if (failure == null) {
                        initialized = true;
                        controller.adopt(Objects.requireNonNull(url));
                        ready.complete(null);
                    } else {
                        world.after(
                                500_000,
                                () -> mine.execute(() -> {
                                    CompletableFuture<Void> unusedAgain = init().thenAccept(ready::complete);
                                }));
                    }
                });
        return ready;
    }

    /** The server ends by itself. */
    void killServer() {
        kill();
    }

    /** The worker's process dies, and its server a moment later. Ray starts another one. */
    void killWorker() {
        if (!loop.isAlive() || gone) {
            return;
        }
        loop.kill();
        SimServer now = server;
        if (now != null) {
            world.after(world.between(0, 200_000), now::die);
        }
        world.after(world.between(800_000, 4_000_000), () -> {
            if (!gone) {
                loop = world.new Loop();
                url = null;
                controller = controller(true);
                EngineController fresh = controller;
                world.note(() -> actor + " has a new worker");
                if (!fresh.inherit()) {
                    // It never served, or its record was not written yet: the fleet's owner starts the engine again.
                    loop.execute(() -> {
                        CompletableFuture<Void> unused = init();
                    });
                }
            }
        });
    }

    /** Its owner ends it for good. */
    void remove() {
        gone = true;
        loop.kill();
        kill();
    }

    boolean isInitialized() {
        return initialized;
    }

    @Override
    public String toString() {
        return actor + " at " + url;
    }
}
