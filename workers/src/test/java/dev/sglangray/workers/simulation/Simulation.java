/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import dev.sglangray.workers.engine.EngineRecord;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.registry.RouterPort;
import dev.sglangray.workers.registry.ServerFacts;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One fleet under one seed: engines with their workers, the registry, its router, trainers and the fleet's owner, under faults and
 * calls at random moments. After each step it looks at every engine that the router would send a request to now.
 */
final class Simulation {
    private static final long STORM_BEGIN = 3_000_000;
    private static final long STORM_END = 33_000_000;
    /** By then all is as it should be, without further faults, unless a commit waits for old weights. */
    private static final long SETTLED = 85_000_000;

    private static final long HEALED = 96_000_000;
    /** So long after a commit engines with the new weights may wait for others to leave the router. */
    private static final long CLEARED = 26_000_000;

    final Mutation mutation;
    final World world;
    final Map<String, SimServer> servers = new HashMap<>();
    final SimRegistry registry;
    final List<SimEngine> engines = new ArrayList<>();
    final Callers callers;
    private final Map<String, SimEngine> byUrl = new HashMap<>();
    private final Map<String, SimEngine> byActor = new HashMap<>();
    private final Deque<Runnable> heldAdds = new ArrayDeque<>();
    private int urls;
    private int keys;
    private FleetWeights seen = FleetWeights.INITIAL;
    private Set<String> before = Set.of();
    private long beforeUntil;
    private long committedAt = -CLEARED;
    private @Nullable String violation;

    /** What came of one run; the violation is null when there was none. */
    record Outcome(@Nullable String violation, int steps, List<String> trace, int actions) {}

    /** One thing that happens at its time. */
    private record Act(long at, int kind, int target, long more) {}

    private Simulation(long seed, Mutation mutation, boolean traced) {
        this.mutation = mutation;
        this.world = new World(seed, traced);
        this.registry = new SimRegistry(this, world);
        this.callers = new Callers(this, world);
    }

    /**
     * Runs one seed.
     *
     * @param kept which of its acts happen; null for all
     */
    static Outcome run(long seed, @Nullable Set<Integer> kept, Mutation mutation, boolean traced) {
        Simulation simulation = new Simulation(seed, mutation, traced);
        int acts = simulation.run(new SplittableRandom(seed * 0x9E3779B97F4A7C15L + 1), kept);
        return new Outcome(simulation.violation, simulation.world.steps(), simulation.world.trace(), acts);
    }

    private int run(SplittableRandom choices, @Nullable Set<Integer> kept) {
        int size = 1 + choices.nextInt(3);
        boolean keepsWeights = choices.nextBoolean();
        for (int i = 0; i < size; i++) {
            addEngine(keepsWeights);
        }
        callers.launch(size);
        List<Act> acts = new ArrayList<>();
        int count = 4 + choices.nextInt(18);
        for (int i = 0; i < count; i++) {
            acts.add(new Act(
                    STORM_BEGIN + choices.nextLong(STORM_END - STORM_BEGIN),
                    choices.nextInt(Callers.KINDS),
                    choices.nextInt(8),
                    choices.nextLong(8_000_000)));
        }
        for (int i = 0; i < acts.size(); i++) {
            Act act = acts.get(i);
            if (kept == null || kept.contains(i)) {
                int number = i;
                world.at(act.at(), () -> {
                    world.note(() -> "--- act " + number);
                    callers.act(act.kind(), act.target(), act.more());
                });
            }
        }
        world.at(STORM_END + 8_000_000, () -> {
            world.note(() -> "--- no further faults");
            world.calm();
            callers.cleanUp();
        });
        // Before an operator drains each engine, which would put some mistakes right.
        world.run(SETTLED, this::check);
        while (violation == null && world.micros() < committedAt + CLEARED) {
            // After the operator's drains, which begin soon.
            world.run(Math.max(committedAt + CLEARED, HEALED), this::check);
        }
        if (violation == null) {
            violation = settled();
        }
        world.run(HEALED, this::check);
        if (violation == null) {
            violation = settled();
        }
        if (violation == null) {
            violation = callers.settled();
        }
        return acts.size();
    }

    int size() {
        return engines.size() + 1;
    }

    SimEngine addEngine(boolean keepsWeights) {
        int rank = 0;
        while (rankTaken(rank)) {
            rank++;
        }
        SimEngine engine = new SimEngine(this, world, rank, "key" + keys++, keepsWeights);
        engines.add(engine);
        byActor.put(engine.actor, engine);
        return engine;
    }

    private boolean rankTaken(int rank) {
        return engines.stream().anyMatch(engine -> engine.rank == rank && !engine.gone);
    }

    @Nullable
    SimEngine byActor(String actor) {
        return byActor.get(actor);
    }

    List<SimEngine> living() {
        return engines.stream().filter(engine -> !engine.gone).toList();
    }

    String freshUrl(int rank) {
        String url = "http://e" + rank + ":" + urls++;
        byUrl.put(
                url,
                engines.stream()
                        .filter(e -> e.rank == rank && !e.gone)
                        .findFirst()
                        .orElseThrow());
        return url;
    }

    EngineRecord withOldPause(EngineRecord record, @Nullable EngineRecord old) {
        return old == null || old.paused() == null || record.paused() != null
                ? record
                : new EngineRecord(
                        record.url(),
                        record.epoch(),
                        record.restarts(),
                        record.spentMillis(),
                        record.groupSize(),
                        record.drained(),
                        record.released(),
                        old.paused(),
                        record.fleet());
    }

    void violate(Supplier<String> what) {
        if (violation == null) {
            violation = String.format("at %.3f s: %s", world.micros() / 1e6, what.get());
            world.note(() -> "VIOLATION " + violation);
        }
    }

    // What must hold after each step.

    private void check() {
        if (violation != null) {
            return;
        }
        noteCommit();
        SimRouter router = registry.router;
        if (!router.alive) {
            return;
        }
        String version = null;
        for (String url : router.listed()) {
            SimServer server = servers.get(url);
            SimEngine engine = byUrl.get(url);
            if (engine == null || server == null || !server.healthy) {
                // It answers nothing, or is none of the fleet's.
                continue;
            }
            if (engine.seenAt == world.steps()) {
                violate(() -> engine + " is listed twice");
            }
            engine.seenAt = world.steps();
            check(engine, server);
            if (version != null
                    && !version.equals(server.version)
                    && seen.alsoId() == null
                    && (before.size() <= 1 || world.micros() > beforeUntil)) {
                violate(() -> "requests are answered by different weights, one of them " + server.version);
            }
            version = server.version;
        }
    }

    private void check(SimEngine engine, SimServer server) {
        if (!server.fault().isEmpty()) {
            violate(() -> "a request is sent to " + engine + ", but " + server.fault());
        }
        if (server.paused && !callers.mayBePaused(engine)) {
            violate(() -> "a request is sent to " + engine + ", which is paused though no caller wants it");
        }
        callers.mustBeOut(engine)
                .ifPresent(why ->
                        violate(() -> "a request is sent to " + engine + ", but a caller was told that it " + why));
        boolean right = server.version.equals(version(seen))
                || ((seen.alsoId() != null || world.micros() <= beforeUntil) && before.contains(server.version));
        if (!right) {
            violate(() -> "a request is sent to " + engine + " with weights " + server.version + ", and the fleet has "
                    + version(seen));
        }
    }

    static String version(FleetWeights weights) {
        return weights.updated() == null ? "initial" : weights.updated().version();
    }

    /** While a commit clears the router of old weights, these may still answer; no longer once its caller knows of it. */
    private void noteCommit() {
        if (!registry.isAlive()) {
            return;
        }
        FleetWeights now = registry.registry.weights();
        if (!now.equals(seen)) {
            Set<String> past = new HashSet<>(seen.alsoId() != null ? before : Set.of());
            past.add(version(seen));
            before = past;
            committedAt = world.micros();
            beforeUntil = committedAt + 30_000_000;
            seen = now;
        }
    }

    /** The caller of an update knows that the fleet has its weights and no others. */
    void acknowledged(String version) {
        if (version.equals(version(seen)) && seen.alsoId() == null) {
            beforeUntil = 0;
        }
    }

    /** Whether all is as it should be, without further faults. */
    private @Nullable String settled() {
        RegistryView view = registry.registry.view();
        for (SimEngine engine : living()) {
            if (!engine.isInitialized()) {
                continue;
            }
            SimServer server = engine.server();
            boolean known = view.members().stream().anyMatch(one -> one.url().equals(server.url));
            boolean wanted = !callers.isUnregistered(engine) && (known || !callers.mayBeUnregistered(engine));
            if (!server.healthy) {
                return "in the end " + engine + " does not run";
            }
            if (wanted != registry.router.lists(server.url)) {
                return "in the end " + engine + (wanted ? " is not" : " is") + " listed: " + view + "; it says "
                        + engine.controller.conditions();
            }
            boolean told = view.members().stream()
                    .anyMatch(member -> member.url().equals(server.url) && member.wanted() && member.listed());
            if (told != wanted) {
                return "in the end the registry's view of " + engine + " is wrong: " + view;
            }
            if (wanted && (engine.controller.isWithheld() || !engine.controller.isServed())) {
                return "in the end the worker of " + engine + " does not know that it serves";
            }
        }
        for (String url : registry.router.listed()) {
            SimServer server = servers.get(url);
            SimEngine engine = byUrl.get(url);
            if (engine == null || server == null || engine.gone || engine.server != server) {
                return "in the end the router lists " + url + ", which is no engine's";
            }
        }
        if (registry.keptMembers() > living().size() + callers.foreign()) {
            return "the registry's file has grown to " + registry.keptMembers() + " members";
        }
        return null;
    }

    // Planted bugs at the router's side.

    RouterPort mutated(RouterPort real, World.Loop mine) {
        if (mutation == Mutation.ONE_BAD_SERVER_BLOCKS_ALL) {
            return new OneAtATime(real, mine);
        }
        return mutation == Mutation.LATE_REGISTRATION_STAYS ? new Forgetful(real) : real;
    }

    private static class Forwarding implements RouterPort {
        final RouterPort real;

        Forwarding(RouterPort real) {
            this.real = real;
        }

        @Override
        public CompletableFuture<String> add(ServerEndpoint server) {
            return real.add(server);
        }

        @Override
        public CompletableFuture<Progress> progress(String id) {
            return real.progress(id);
        }

        @Override
        public CompletableFuture<Boolean> remove(String id) {
            return real.remove(id);
        }

        @Override
        public CompletableFuture<List<RegisteredServer>> list() {
            return real.list();
        }

        @Override
        public CompletableFuture<ServerFacts> describe(ServerEndpoint server) {
            return real.describe(server);
        }
    }

    private final class Forgetful extends Forwarding {
        Forgetful(RouterPort real) {
            super(real);
        }

        @Override
        public CompletableFuture<Progress> progress(String id) {
            return real.progress(id)
                    .thenApply(progress -> progress instanceof Progress.Pending ? new Progress.Unknown() : progress);
        }

        @Override
        public CompletableFuture<List<RegisteredServer>> list() {
            return real.list()
                    .thenApply(servers -> servers.stream()
                            .filter(server -> registry.registry.view().members().stream()
                                    .anyMatch(member -> member.url().equals(server.url()) && member.wanted()))
                            .toList());
        }
    }

    private final class OneAtATime extends Forwarding {
        private final World.Loop mine;
        private boolean busy;

        OneAtATime(RouterPort real, World.Loop mine) {
            super(real);
            this.mine = mine;
            heldAdds.clear();
        }

        @Override
        public CompletableFuture<String> add(ServerEndpoint server) {
            CompletableFuture<String> done = new CompletableFuture<>();
            Runnable add = () -> {
                busy = true;
                CompletableFuture<Void> unused = real.add(server).handle((id, failure) -> {
                    if (failure == null) {
                        untilListed(id, () -> done.complete(id));
                    } else {
                        done.completeExceptionally(failure);
                        next();
                    }
                    return null;
                });
            };
            if (busy) {
                heldAdds.addLast(add);
            } else {
                add.run();
            }
            return done;
        }

        private void untilListed(String id, Runnable then) {
            CompletableFuture<Void> unused = real.progress(id).handle((progress, failure) -> {
                if (progress instanceof Progress.Listed) {
                    then.run();
                    next();
                } else {
                    mine.schedule(java.time.Duration.ofMillis(200), () -> untilListed(id, then));
                }
                return null;
            });
        }

        private void next() {
            busy = false;
            Runnable waiting = heldAdds.pollFirst();
            if (waiting != null) {
                waiting.run();
            }
        }
    }
}
