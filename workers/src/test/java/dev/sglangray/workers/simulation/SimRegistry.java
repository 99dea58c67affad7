/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import dev.sglangray.workers.protocol.EngineReport;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.ReportReply;
import dev.sglangray.workers.registry.EngineRegistry;
import dev.sglangray.workers.registry.RegistryRecord;
import dev.sglangray.workers.registry.WorkersPort;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The router's worker: its process dies and is replaced, and the router, which dies with it or by itself. */
final class SimRegistry {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Simulation simulation;
    private final World world;
    private final SimStore<RegistryRecord> store;
    private long slowUntil;
    World.Loop loop;
    EngineRegistry registry;
    SimRouter router;

    SimRegistry(Simulation simulation, World world) {
        this.simulation = simulation;
        this.world = world;
        this.store = new SimStore<>(world, record -> record);
        this.loop = world.new Loop();
        this.registry = fresh(false);
        this.router = new SimRouter(world, simulation.servers);
        registry.routerUp(simulation.mutated(router.port(loop), loop));
    }

    private EngineRegistry fresh(boolean inherits) {
        World.Loop mine = loop;
        return new EngineRegistry(
                mine,
                (kind, text) -> world.note(() -> "registry " + kind + ": " + text),
                workers(mine),
                store.in(mine),
                inherits);
    }

    /** Kept bytes, roughly: the number of members. */
    int keptMembers() {
        RegistryRecord kept = store.onDisk();
        return kept == null ? 0 : kept.members().size();
    }

    boolean isAlive() {
        return loop.isAlive();
    }

    <T> CompletableFuture<T> call(
            World.Loop caller,
            Function<EngineRegistry, CompletableFuture<T>> method,
            boolean repeatable,
            boolean slow) {
        Supplier<CompletableFuture<T>> handler = () -> method.apply(registry);
        if (simulation.mutation == Mutation.URGENT_BEHIND_SLOW) {
            Supplier<CompletableFuture<T>> direct = handler;
            handler = () -> {
                CompletableFuture<T> done = new CompletableFuture<>();
                long begin = Math.max(slowUntil, world.micros());
                slowUntil = begin + (slow ? 20_000_000 : 0);
                World.Loop mine = loop;
                world.at(
                        begin,
                        () -> mine.execute(() -> {
                            CompletableFuture<T> unused = direct.get().whenComplete((value, failure) -> {
                                if (failure == null) {
                                    done.complete(value);
                                } else {
                                    done.completeExceptionally(failure);
                                }
                            });
                        }));
                return done;
            };
        }
        return world.call(caller, loop::isAlive, onLoop(handler), PATIENCE, repeatable);
    }

    private <T> Supplier<CompletableFuture<T>> onLoop(Supplier<CompletableFuture<T>> handler) {
        return handler;
    }

    CompletableFuture<Optional<ReportReply>> report(World.Loop caller, EngineReport report) {
        return call(
                caller,
                registry -> {
                    EngineReport taken = report;
                    if (simulation.mutation == Mutation.REPORTS_WITHOUT_EPOCHS) {
                        long known = registry.report(
                                        new EngineReport(report.key(), report.actor(), -1, false, "", null, null))
                                .epoch();
                        taken = new EngineReport(
                                report.key(),
                                report.actor(),
                                known + 1,
                                report.serves(),
                                report.why(),
                                report.endpoint(),
                                report.weightsId());
                    }
                    ReportReply reply = registry.report(taken);
                    if (simulation.mutation == Mutation.REPORTS_WITHOUT_EPOCHS) {
                        reply = new ReportReply(
                                report.epoch(), reply.member(), reply.listed(), reply.out(), reply.weights());
                    }
                    if (simulation.mutation == Mutation.COMMIT_FORGETS_ENGINES) {
                        reply = new ReportReply(
                                reply.epoch(), reply.member(), reply.listed(), reply.out(), FleetWeights.INITIAL);
                    }
                    return CompletableFuture.completedFuture(Optional.of(reply));
                },
                true,
                false);
    }

    private WorkersPort workers(World.Loop mine) {
        return new WorkersPort() {
            @Override
            public CompletableFuture<Boolean> askForReport(String actor) {
                SimEngine engine = simulation.byActor(actor);
                if (engine == null || engine.gone) {
                    return CompletableFuture.completedFuture(false);
                }
                if (simulation.mutation == Mutation.COMMIT_FORGETS_ENGINES
                        && engine.isInitialized()
                        && engine.controller.isServed()) {
                    return CompletableFuture.completedFuture(true);
                }
                if (!world.isCalm() && world.chance(0.1)) {
                    if (simulation.mutation == Mutation.SUSPICION_FORGOTTEN) {
                        return new CompletableFuture<>();
                    }
                    throw new IllegalStateException("Ray's GCS restarts");
                }
                return world.call(
                        mine,
                        () -> engine.loop.isAlive(),
                        () -> {
                            engine.controller.reportAgain();
                            return CompletableFuture.completedFuture(true);
                        },
                        PATIENCE,
                        true);
            }

            @Override
            public CompletableFuture<String> awaitDeath(String actor) {
                CompletableFuture<String> death = new CompletableFuture<>();
                SimEngine engine = simulation.byActor(actor);
                watchDeath(mine, engine == null ? null : engine.loop, death);
                return death;
            }

            @Override
            public CompletableFuture<Void> awaitDisconnect(String url) {
                CompletableFuture<Void> ended = new CompletableFuture<>();
                watchConnection(mine, url, ended);
                return ended;
            }

            @Override
            public CompletableFuture<Boolean> isRefused(String url) {
                SimServer server = simulation.servers.get(url);
                CompletableFuture<Boolean> answer = new CompletableFuture<>();
                boolean unknown = !world.isCalm() && world.chance(0.1);
                // As a network that refuses for a moment.
                boolean wrong = !world.isCalm() && world.chance(0.05);
                world.after(
                        world.delay(),
                        () -> mine.execute(() -> {
                            if (unknown) {
                                answer.completeExceptionally(new IllegalStateException("timeout"));
                            } else {
                                answer.complete(wrong || server == null || !server.alive);
                            }
                        }));
                return answer;
            }
        };
    }

    private void watchDeath(World.Loop mine, World.@Nullable Loop theirs, CompletableFuture<String> death) {
        if (!mine.isAlive() || death.isDone()) {
            return;
        }
        if (theirs == null || !theirs.isAlive()) {
            world.after(world.between(200_000, 2_000_000), () -> mine.execute(() -> death.complete("killed")));
        } else if (!world.isCalm() && world.chance(0.02)) {
            mine.execute(() -> death.completeExceptionally(new IllegalStateException("Ray.wait failed")));
        } else {
            world.after(world.isCalm() ? 2_000_000 : 500_000, () -> watchDeath(mine, theirs, death));
        }
    }

    private void watchConnection(World.Loop mine, String url, CompletableFuture<Void> ended) {
        if (!mine.isAlive() || ended.isDone()) {
            return;
        }
        SimServer server = simulation.servers.get(url);
        if (server == null || !server.alive || (!world.isCalm() && world.chance(0.01))) {
            mine.execute(() -> ended.complete(null));
        } else {
            world.after(world.isCalm() ? 1_000_000 : 250_000, () -> watchConnection(mine, url, ended));
        }
    }

    /** The router ends by itself, and its worker starts another one. */
    void killRouter() {
        if (!loop.isAlive() || !router.alive) {
            return;
        }
        router.alive = false;
        World.Loop mine = loop;
        world.after(
                world.between(500, 50_000),
                () -> mine.execute(() -> {
                    registry.routerDown();
                    world.after(world.between(100_000, 2_000_000), () -> mine.execute(this::startRouter));
                }));
    }

    private void startRouter() {
        router = new SimRouter(world, simulation.servers);
        registry.routerUp(simulation.mutated(router.port(loop), loop));
    }

    /** The worker's process dies, and the router a moment later. */
    void killWorker() {
        if (!loop.isAlive()) {
            return;
        }
        loop.kill();
        SimRouter old = router;
        world.after(world.between(0, 200_000), () -> old.alive = false);
        world.after(world.between(800_000, 4_000_000), () -> {
            loop = world.new Loop();
            registry = fresh(true);
            if (simulation.mutation == Mutation.SUCCESSOR_TRUSTS_ITS_FILE) {
                trustFile();
            }
            World.Loop mine = loop;
            world.after(world.between(100_000, 1_000_000), () -> mine.execute(this::startRouter));
        });
    }

    private void trustFile() {
        RegistryRecord kept = store.onDisk();
        if (kept != null) {
            for (RegistryRecord.KeptMember member : kept.members()) {
                registry.report(new EngineReport(
                        String.valueOf(member.endpoint().key()),
                        String.valueOf(member.endpoint().actor()),
                        member.epoch(),
                        true,
                        "",
                        member.endpoint(),
                        kept.weights().id()));
            }
        }
    }
}
