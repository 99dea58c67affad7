/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.app.monitor.LastAnswers.Answer;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerGroup;
import dev.sglangray.workers.WorkerGroupFuture;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.supervision.Event;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Asks a fleet's workers, all at the same time. For use by one thread. */
public final class FleetFeed implements FleetSource {
    /** A worker of a quiet node answers in milliseconds. A slower answer is in a later look. */
    private static final Duration PATIENCE = Duration.ofMillis(500);

    /** Slow is not away: the node may be busy, or the worker is starting. */
    private static final Duration SILENCE = Duration.ofSeconds(10);
    /** Load changes quickly, and decisions are made by it. */
    private static final Duration LOAD_SILENCE = Duration.ofSeconds(3);

    private final Fleet fleet;
    private final LastAnswers<Said> said = answers(SILENCE);
    private final LastAnswers<RegistryView> registry = answers(SILENCE);
    private final LastAnswers<EngineLoad> loads = answers(LOAD_SILENCE);

    /**
     * Where the workers of a fleet are found.
     *
     * @param servers the engines as they are at the moment; null when there are none
     * @param routerName the name of the router's actor; null in a fleet without a router
     * @param router the router; null when it is not there
     * @param places where the engines are
     * @param wanted how many engines each pool is to have
     */
    public record Fleet(
            Supplier<@Nullable ServerGroup> servers,
            @Nullable String routerName,
            Supplier<@Nullable RouterGroup> router,
            Supplier<List<EnginePlan>> places,
            Supplier<Map<String, Integer>> wanted) {}

    private record Said(WorkerStatus status, List<Event> events) {}

    /** Of a fleet that need not be there yet. */
    public FleetFeed(Fleet fleet) {
        this.fleet = fleet;
    }

    private static <T> LastAnswers<T> answers(Duration silence) {
        return new LastAnswers<>(System::nanoTime, silence);
    }

    @Override
    public FleetLook look(ToLongFunction<String> from, boolean load) {
        Map<String, Integer> sizes = fleet.wanted().get();
        ServerGroup group = fleet.servers().get();
        RouterGroup router = fleet.router().get();
        String routerName = fleet.routerName();
        Map<Integer, EnginePlan> plans =
                fleet.places().get().stream().collect(Collectors.toMap(EnginePlan::rank, Function.identity()));
        Map<String, Supplier<CompletableFuture<Said>>> workers = new LinkedHashMap<>();
        Map<String, Supplier<CompletableFuture<RegistryView>>> registries = new LinkedHashMap<>();
        Map<String, Supplier<CompletableFuture<EngineLoad>>> engineLoads = new LinkedHashMap<>();
        if (router != null && routerName != null) {
            workers.put(routerName, () -> said(router, from.applyAsLong(routerName)));
            registries.put(routerName, () -> single(router.registry()));
        }
        List<EnginePlan> engines = new ArrayList<>();
        for (int rank : group == null ? List.<Integer>of() : group.ranks()) {
            EnginePlan plan = plans.get(rank);
            if (group != null && plan != null) {
                engines.add(plan);
                ServerGroup engine = group.on(rank);
                workers.put(plan.actorName(), () -> said(engine, from.applyAsLong(plan.actorName())));
                if (load) {
                    engineLoads.put(plan.actorName(), () -> single(engine.load()));
                }
            }
        }
        said.ask(workers);
        registry.ask(registries);
        loads.ask(engineLoads);
        long end = System.nanoTime() + PATIENCE.toNanos();
        try {
            Map<String, Answer<Said>> answers = said.answers(left(end));
            Map<String, Answer<RegistryView>> registered = registry.answers(left(end));
            Map<String, Answer<EngineLoad>> loaded = loads.answers(left(end));
            return new FleetLook(
                    sizes,
                    engines.stream()
                            .map(plan -> new Engine(
                                    plan, worker(plan.actorName(), answers), value(loaded.get(plan.actorName()))))
                            .toList(),
                    routerName == null ? null : worker(routerName, answers),
                    routerName == null ? null : value(registered.get(routerName)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the wait for the workers was interrupted", e);
        }
    }

    private static Worker worker(String name, Map<String, Answer<Said>> answers) {
        Answer<Said> answer = answers.get(name);
        return answer == null
                ? new Worker(name, null, List.of(), false)
                : new Worker(
                        name,
                        answer.value().status(),
                        answer.fresh() ? answer.value().events() : List.of(),
                        false);
    }

    private static Duration left(long end) {
        return Duration.ofNanos(Math.max(0, end - System.nanoTime()));
    }

    private static <T> @Nullable T value(@Nullable Answer<T> answer) {
        return answer == null ? null : answer.value();
    }

    private static CompletableFuture<Said> said(WorkerGroup<?> worker, long from) {
        return single(worker.status()).thenCombine(single(worker.events(from)), Said::new);
    }

    /** The answer of a single worker. */
    private static <T> CompletableFuture<T> single(WorkerGroupFuture<T> future) {
        return future.toCompletableFuture().thenApply(answers -> answers.get(0));
    }

    /** A driver that leaves Ray without closing its fleet leaves this too. */
    @Override
    public boolean isOver() {
        return !Ray.isInitialized();
    }
}
