/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.InFlightPolicy;
import dev.sglangray.workers.protocol.PauseMode;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.registry.EngineRegistry;
import dev.sglangray.workers.registry.EngineRegistry.Commit;
import dev.sglangray.workers.registry.EngineRegistry.Registration;
import dev.sglangray.workers.update.FleetPort;
import dev.sglangray.workers.update.WeightRollout;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Everybody who calls the fleet: trainers, operators and the fleet's owner. They remember what they were told. */
final class Callers {
    /** How many kinds of acts there are. */
    static final int KINDS = 20;

    private static final Duration OP = Duration.ofSeconds(6);
    private static final Duration PATIENCE = Duration.ofSeconds(9);
    private static final Duration LEASE = Duration.ofSeconds(12);

    private final Simulation simulation;
    private final World world;
    private final World.Loop loop;
    /** What an engine's caller was told and has not taken back, by key. */
    private final Map<String, String> released = new HashMap<>();

    private final Map<String, Long> drained = new HashMap<>();
    private final Set<String> mayBePaused = new HashSet<>();
    private final Set<String> unregistered = new HashSet<>();
    private final Set<String> takenAway = new HashSet<>();
    private final Set<String> wasMember = new HashSet<>();
    private final Set<String> listed = new HashSet<>();
    private final Set<String> foreign = new HashSet<>();
    /** When a caller may begin something again: a call that was not answered may still take effect for a while. */
    private final Map<String, Long> free = new HashMap<>();

    private final Map<String, Integer> urgent = new LinkedHashMap<>();
    private int versions;
    private int wanted;
    private boolean changing;
    private boolean cleaning;
    private @Nullable String failure;

    Callers(Simulation simulation, World world) {
        this.simulation = simulation;
        this.world = world;
        this.loop = world.new Loop();
    }

    // What must hold.

    boolean mayBePaused(SimEngine engine) {
        return mayBePaused.contains(engine.key);
    }

    boolean hasReleased(SimEngine engine) {
        return released.containsKey(engine.key);
    }

    boolean isUnregistered(SimEngine engine) {
        return wasMember.contains(engine.key);
    }

    /** Whether a caller asked for its end without an answer that tells: it may be a member or not. */
    boolean mayBeUnregistered(SimEngine engine) {
        return takenAway.contains(engine.key) && !wasMember.contains(engine.key);
    }

    int foreign() {
        return foreign.size();
    }

    Optional<String> mustBeOut(SimEngine engine) {
        if (released.containsKey(engine.key)) {
            return Optional.of("has released its memory");
        }
        Long until = drained.get(engine.key);
        if (until != null && world.micros() < until) {
            return Optional.of("is drained");
        }
        return unregistered.contains(engine.key) ? Optional.of("was taken away") : Optional.empty();
    }

    @Nullable
    String settled() {
        if (failure != null) {
            return failure;
        }
        if (simulation.living().size() != wanted) {
            return "in the end there are " + simulation.living().size() + " engines instead of " + wanted;
        }
        for (SimEngine engine : simulation.living()) {
            if (urgent.getOrDefault(engine.key, 0) == 0) {
                return "in the end a drain of " + engine + " was not acted on in time";
            }
        }
        return null;
    }

    // The fleet's owner.

    void launch(int engines) {
        wanted = engines;
        simulation.living().forEach(this::start);
        watch();
    }

    private void start(SimEngine engine) {
        CompletableFuture<Void> unused = engine.init();
        registerOnceItServes(engine);
    }

    private void registerOnceItServes(SimEngine engine) {
        if (engine.isInitialized()) {
            register(engine);
        } else if (!engine.gone) {
            loop.schedule(Duration.ofMillis(100), () -> registerOnceItServes(engine));
        }
    }

    private void register(SimEngine engine) {
        if (engine.gone || wasMember.contains(engine.key)) {
            return;
        }
        CompletableFuture<Void> unused = engine(
                        engine, controller -> CompletableFuture.completedFuture(controller.endpoint()))
                .thenCompose(endpoint ->
                        toRegistry(registry -> CompletableFuture.completedFuture(registry.register(endpoint)), true))
                .handle((key, failed) -> {
                    loop.schedule(
                            Duration.ofMillis(100),
                            failed == null ? () -> awaitListed(engine) : () -> register(engine));
                    return null;
                });
    }

    private void awaitListed(SimEngine engine) {
        if (engine.gone || wasMember.contains(engine.key)) {
            return;
        }
        CompletableFuture<Void> unused = toRegistry(registry -> registry.registration(engine.key), false)
                .handle((state, failed) -> {
                    if (failed == null && state.state() == Registration.State.GONE) {
                        register(engine);
                    } else if (failed != null || state.state() == Registration.State.PENDING) {
                        loop.schedule(Duration.ofMillis(200), () -> awaitListed(engine));
                    } else {
                        listed.add(engine.key);
                    }
                    return null;
                });
    }

    /** Engines that are missing are started again. */
    private void watch() {
        boolean halfDone = simulation.mutation == Mutation.OWNER_SEES_HALF_A_CHANGE;
        if ((!changing || halfDone) && simulation.living().size() < wanted) {
            start(simulation.addEngine(true));
        }
        loop.schedule(Duration.ofMillis(halfDone ? 100 : 1000), this::watch);
    }

    private void scale(boolean up) {
        if (changing || cleaning) {
            return;
        }
        String token = FleetWeights.newId();
        changing = true;
        CompletableFuture<Void> unused = toRegistry(
                        registry -> registry.beginChange("a change of size", token, LEASE), false)
                .handle((refusal, failed) -> {
                    if (failed != null || !refusal.isEmpty()) {
                        changing = false;
                    } else if (up) {
                        SimEngine fresh = simulation.addEngine(true);
                        wanted++;
                        start(fresh);
                        endScale(token);
                    } else {
                        shrink(token);
                    }
                    return null;
                });
    }

    private void shrink(String token) {
        List<SimEngine> living = simulation.living();
        if (living.size() < 2) {
            endScale(token);
            return;
        }
        SimEngine last = living.get(living.size() - 1);
        CompletableFuture<Void> unused = engine(last, controller -> controller.drain(Duration.ofSeconds(2), LEASE))
                .handle((left, failed) -> {
                    removeForGood(last, token);
                    return null;
                });
    }

    private void removeForGood(SimEngine engine, String token) {
        CompletableFuture<Void> unused = toRegistry(registry -> registry.retire(engine.key), false)
                .handle((had, failed) -> {
                    if (failed != null) {
                        loop.schedule(Duration.ofMillis(300), () -> removeForGood(engine, token));
                        return null;
                    }
                    unregistered.add(engine.key);
                    takenAway.add(engine.key);
                    engine.remove();
                    // The owner's own steps take time too.
                    loop.schedule(Duration.ofMillis(500), () -> {
                        wanted--;
                        endScale(token);
                    });
                    return null;
                });
    }

    private void endScale(String token) {
        changing = false;
        CompletableFuture<Void> unused = toRegistry(
                        registry -> CompletableFuture.completedFuture(registry.endChange(token)), false)
                .handle((done, failed) -> null);
    }

    private boolean begin(String what, SimEngine engine) {
        String key = what + engine.key;
        if (cleaning || world.micros() < free.getOrDefault(key, 0L)) {
            return false;
        }
        free.put(key, Long.MAX_VALUE);
        return true;
    }

    private void unanswered(String what, SimEngine engine) {
        free.put(what + engine.key + "?", 1L);
    }

    private void end(String what, SimEngine engine) {
        boolean doubt =
                free.remove(what + engine.key + "?") != null || (cleaning && free.containsKey(what + engine.key));
        free.put(what + engine.key, doubt ? Long.MAX_VALUE : 0);
    }

    // Calls.

    private <T> CompletableFuture<T> toRegistry(Function<EngineRegistry, CompletableFuture<T>> method, boolean slow) {
        return simulation.registry.call(loop, method, false, slow);
    }

    private <T> CompletableFuture<T> engine(SimEngine engine, Function<EngineController, CompletableFuture<T>> method) {
        return engine(loop, engine, method);
    }

    private <T> CompletableFuture<T> engine(
            World.Loop caller, SimEngine engine, Function<EngineController, CompletableFuture<T>> method) {
        return world.call(caller, () -> engine.loop.isAlive(), () -> method.apply(engine.controller), PATIENCE, false);
    }

    private @Nullable SimEngine pick(int target) {
        List<SimEngine> living = simulation.living();
        return living.isEmpty() ? null : living.get(target % living.size());
    }

    void act(int kind, int target, long more) {
        SimEngine engine = pick(target);
        if (engine == null) {
            return;
        }
        switch (kind) {
            case 0, 1 -> {
                world.note(() -> "kill the server of " + engine);
                engine.killServer();
            }
            case 2, 3 -> {
                world.note(() -> "kill the worker of " + engine);
                engine.killWorker();
            }
            case 4 -> {
                world.note(() -> "kill the router");
                simulation.registry.killRouter();
            }
            case 5 -> {
                world.note(() -> "kill the router's worker");
                simulation.registry.killWorker();
            }
            case 6 -> {
                world.note(() -> "the router hangs");
                simulation.registry.router.hang(more);
            }
            case 7 -> {
                world.note(() -> "the router forgets its servers");
                simulation.registry.router.forgetAll();
            }
            case 8, 9, 10 -> release(engine, more);
            case 11 -> pause(engine, more);
            case 12, 13 -> update(target % 2 == 0, more);
            case 14 -> drain(engine, more);
            case 15 -> scale(target % 2 == 0);
            case 16 -> takeAway(engine, more);
            case 17 -> registerByUrl(more);
            case 18 -> {
                world.note(() -> engine + " is busy");
                if (engine.server != null) {
                    engine.server.busyFor(more);
                }
            }
            default -> restart(engine);
        }
    }

    private void release(SimEngine engine, long more) {
        if (!begin("memory", engine)) {
            return;
        }
        world.note(() -> "release the memory of " + engine);
        List<String> tags = more % 3 == 0 ? List.of("kv_cache") : List.of();
        boolean starting = simulation.mutation == Mutation.RELEASE_WHILE_STARTING
                && engine.loop.isAlive()
                && !engine.controller.standing().isServing();
        CompletableFuture<Boolean> call = starting
                ? CompletableFuture.completedFuture(true)
                : engine(engine, controller -> controller.release(tags, OP));
        CompletableFuture<Void> unused = call.handle((done, failed) -> {
            if (failed == null) {
                world.note(() -> engine + " has released its memory");
                // The cleaning takes back what is under way, too.
                if (!cleaning) {
                    released.put(engine.key, "all");
                }
            } else {
                unanswered("memory", engine);
            }
            loop.schedule(Duration.ofNanos(more * 1000), () -> resume(engine));
            return null;
        });
    }

    private void resume(SimEngine engine) {
        if (engine.gone) {
            return;
        }
        released.remove(engine.key);
        CompletableFuture<Void> unused = engine(engine, controller -> controller.resume(List.of(), OP))
                .handle((done, failed) -> {
                    // Repeating is safe, and what a trainer does.
                    if (failed != null) {
                        unanswered("memory", engine);
                        loop.schedule(Duration.ofMillis(500), () -> resume(engine));
                    } else {
                        end("memory", engine);
                    }
                    return null;
                });
    }

    private void pause(SimEngine engine, long more) {
        if (!begin("pause", engine)) {
            return;
        }
        world.note(() -> "pause " + engine);
        mayBePaused.add(engine.key);
        CompletableFuture<Void> unused = engine(engine, controller -> controller.pause(PauseMode.RETRACT, OP))
                .handle((done, failed) -> {
                    if (failed != null) {
                        unanswered("pause", engine);
                    }
                    loop.schedule(Duration.ofNanos(more * 1000), () -> continueGeneration(engine));
                    return null;
                });
    }

    private void continueGeneration(SimEngine engine) {
        if (engine.gone) {
            return;
        }
        CompletableFuture<Void> unused = engine(engine, controller -> controller.continueGeneration(OP))
                .handle((done, failed) -> {
                    if (failed == null) {
                        world.note(() -> engine + " generates again");
                        end("pause", engine);
                        if (free.getOrDefault("pause" + engine.key, 0L) == 0) {
                            mayBePaused.remove(engine.key);
                        }
                    } else {
                        unanswered("pause", engine);
                        loop.schedule(Duration.ofMillis(500), () -> continueGeneration(engine));
                    }
                    return null;
                });
    }

    private void drain(SimEngine engine, long more) {
        if (!begin("drain", engine)) {
            return;
        }
        world.note(() -> "drain " + engine);
        CompletableFuture<Void> unused = engine(engine, controller -> controller.drain(OP, LEASE))
                .handle((left, failed) -> {
                    // An answer that comes after it was taken back says nothing any more.
                    if (failed == null && !cleaning) {
                        drained.put(engine.key, world.micros() + LEASE.toMillis() * 1000 - PATIENCE.toMillis() * 1000);
                    }
                    // An operator who goes away leaves it to the lease.
                    if (more % 2 == 0) {
                        loop.schedule(Duration.ofNanos(more * 1000), () -> {
                            drained.remove(engine.key);
                            CompletableFuture<Void> unusedBack = engine(engine, controller -> controller.undrain(OP))
                                    .handle((done, lost) -> null);
                        });
                    }
                    return null;
                });
    }

    private void restart(SimEngine engine) {
        world.note(() -> "restart " + engine);
        CompletableFuture<Void> unused = engine(
                        engine, controller -> controller.restart("asked for", Duration.ofSeconds(8)))
                .handle((done, failed) -> null);
    }

    private void takeAway(SimEngine engine, long more) {
        if (cleaning || more % 3 != 0 || !listed.contains(engine.key)) {
            return;
        }
        world.note(() -> "take " + engine + " away by hand");
        takenAway.add(engine.key);
        takeAwayAgain(engine);
    }

    private void takeAwayAgain(SimEngine engine) {
        CompletableFuture<Void> unused = toRegistry(
                        registry -> registry.unregister(engine.server().url).thenApply(had -> {
                            if (had) {
                                wasMember.add(engine.key);
                            }
                            return had;
                        }),
                        false)
                .thenCompose(had -> {
                    // One that is no member yet may be registered still.
                    return wasMember.contains(engine.key)
                            ? toRegistry(
                                    registry -> registry.awaitOut(engine.server().url, Duration.ofSeconds(3)), false)
                            : CompletableFuture.completedFuture(false);
                })
                .handle((out, failed) -> {
                    if (failed == null && out) {
                        world.note(() -> engine + " was taken away");
                        unregistered.add(engine.key);
                    } else if (!engine.gone) {
                        loop.schedule(Duration.ofMillis(500), () -> takeAwayAgain(engine));
                    }
                    return null;
                });
    }

    private void registerByUrl(long more) {
        String url = (more % 2 == 0 ? "bad://x" : "http://nowhere:") + more;
        world.note(() -> "register " + url + ", where nothing is");
        foreign.add(url);
        CompletableFuture<Void> unused = toRegistry(
                        registry -> CompletableFuture.completedFuture(registry.register(ServerEndpoint.regular(url))),
                        true)
                .handle((key, failed) -> null);
    }

    // Updates.

    private void update(boolean rolling, long more) {
        if (cleaning) {
            return;
        }
        String version = "v" + ++versions;
        world.note(() -> "update to " + version + (rolling ? ", rolling" : ""));
        World.Loop trainer = world.new Loop();
        WeightUpdate update = WeightUpdate.fromDisk(version, "/weights/" + version)
                .withInFlight(more % 3 == 0 ? InFlightPolicy.RETRACT : InFlightPolicy.DRAIN)
                .withRolling(rolling)
                .withTimeout(Duration.ofSeconds(8));
        WeightRollout rollout = new WeightRollout(trainer, update, fleet(trainer));
        CompletableFuture<Void> unused = rollout.run().handle((done, failed) -> {
            if (failed == null) {
                world.note(() -> "the fleet has " + version + ": " + done.engines());
                simulation.acknowledged(version);
            } else {
                world.note(() -> "no update to " + version + ": " + failed.getMessage());
            }
            return null;
        });
        if (more % 4 == 0) {
            // The trainer dies in the middle of it.
            world.after(world.between(0, 4_000_000), trainer::kill);
        }
    }

    private FleetPort fleet(World.Loop trainer) {
        return new FleetPort() {
            @Override
            public CompletableFuture<List<Integer>> ranks() {
                return CompletableFuture.completedFuture(
                        simulation.living().stream().map(engine -> engine.rank).toList());
            }

            @Override
            public CompletableFuture<String> beginChange(String kind, String token, Duration lease) {
                return simulation.registry.call(
                        trainer, registry -> registry.beginChange(kind, token, lease), false, false);
            }

            @Override
            public CompletableFuture<Void> endChange(String token) {
                return simulation
                        .registry
                        .call(
                                trainer,
                                registry -> CompletableFuture.completedFuture(registry.endChange(token)),
                                false,
                                false)
                        .handle((done, failed) -> null);
            }

            @Override
            public CompletableFuture<FleetWeights> weights() {
                return simulation.registry.call(
                        trainer, registry -> CompletableFuture.completedFuture(registry.weights()), false, false);
            }

            @Override
            public CompletableFuture<Map<Integer, UpdateOutcome>> prepare(
                    List<Integer> ranks, UpdateNotice notice, Duration longest, Duration lease) {
                return each(
                        ranks,
                        (rank, controller) -> controller.prepare(notice, longest, LEASE),
                        why -> UpdateOutcome.of(UpdateOutcome.Result.ABSENT, why));
            }

            @Override
            public CompletableFuture<Map<Integer, UpdateOutcome>> apply(
                    List<Integer> ranks, String id, WeightUpdate update, Duration longest) {
                return each(
                        ranks,
                        (rank, controller) -> controller.apply(id, update, longest),
                        why -> UpdateOutcome.of(UpdateOutcome.Result.UNCERTAIN, why));
            }

            @Override
            public CompletableFuture<Commit> commit(FleetWeights weights, String token) {
                return simulation.registry.call(trainer, registry -> registry.commit(weights, token), false, false);
            }

            @Override
            public CompletableFuture<Map<Integer, String>> settle(
                    List<Integer> ranks, FleetWeights weights, String id, Duration longest) {
                return each(ranks, (rank, controller) -> controller.settle(weights, id, OP), why -> why);
            }

            private <T> CompletableFuture<Map<Integer, T>> each(
                    List<Integer> ranks,
                    BiFunction<Integer, EngineController, CompletableFuture<T>> method,
                    Function<String, T> failed) {
                Map<Integer, T> answers = new LinkedHashMap<>();
                CompletableFuture<?>[] all = ranks.stream()
                        .map(rank -> {
                            SimEngine engine = simulation.living().stream()
                                    .filter(one -> one.rank == rank)
                                    .findFirst()
                                    .orElse(null);
                            CompletableFuture<T> asked = engine == null
                                    ? CompletableFuture.failedFuture(new IllegalStateException("no such engine"))
                                    : engine(trainer, engine, controller -> method.apply(rank, controller));
                            return asked.handle((value, failure) -> {
                                answers.put(rank, failure == null ? value : failed.apply(String.valueOf(failure)));
                                return null;
                            });
                        })
                        .toArray(CompletableFuture<?>[]::new);
                return CompletableFuture.allOf(all).thenApply(nothing -> answers);
            }
        };
    }

    // The end.

    /** Every caller takes back what it has asked for; afterwards an operator drains each engine once, for a moment. */
    void cleanUp() {
        cleaning = true;
        takeBack();
        // Calls that were under way may arrive until then.
        loop.schedule(Duration.ofSeconds(18), () -> {
            free.clear();
            takeBack();
        });
        loop.schedule(Duration.ofSeconds(46), () -> simulation.living().forEach(this::drainOnce));
    }

    private void takeBack() {
        for (SimEngine engine : simulation.living()) {
            released.remove(engine.key);
            resume(engine);
            if (mayBePaused.contains(engine.key)) {
                continueGeneration(engine);
            }
            drained.remove(engine.key);
            CompletableFuture<Void> unused =
                    engine(engine, controller -> controller.undrain(OP)).handle((done, lost) -> null);
        }
    }

    private void drainOnce(SimEngine engine) {
        CompletableFuture<Void> unused = engine(engine, controller -> controller.drain(Duration.ofSeconds(2), LEASE))
                .handle((left, failed) -> {
                    if (failed == null) {
                        urgent.put(engine.key, 1);
                    }
                    CompletableFuture<Void> unusedBack =
                            engine(engine, controller -> controller.undrain(OP)).handle((done, lost) -> null);
                    return null;
                });
    }
}
