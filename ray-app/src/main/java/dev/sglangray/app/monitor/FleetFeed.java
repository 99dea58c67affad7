/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.WorkerGroup;
import dev.sglangray.workers.WorkerGroupFuture;
import dev.sglangray.workers.WorkerInterruptedException;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.supervision.Event;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Asks a fleet's workers, all at the same time.
 *
 * @param servers the engines as they are at the moment; null when there are none
 * @param routerName the name of the router's actor; null in a fleet without a router
 * @param router the router; null when it is not there
 * @param places where the engines are
 * @param wanted how many engines each pool is to have
 */
public record FleetFeed(
        Supplier<@Nullable ServerGroup> servers,
        @Nullable String routerName,
        Supplier<@Nullable RouterGroup> router,
        Supplier<List<EnginePlan>> places,
        Supplier<Map<String, Integer>> wanted)
        implements FleetSource {
    /** For all workers together: those of a lost node do not answer. */
    private static final Duration ANSWERS = Duration.ofSeconds(10);
    /** A busy engine may be slow to say how busy it is; the look does not wait long for that. */
    private static final Duration LOAD = Duration.ofSeconds(2);

    private record Asked(
            String name,
            WorkerGroupFuture<WorkerStatus> status,
            WorkerGroupFuture<List<Event>> events,
            @Nullable WorkerGroupFuture<EngineLoad> load) {
        static Asked of(
                WorkerGroup<?> worker,
                String name,
                ToLongFunction<String> from,
                @Nullable WorkerGroupFuture<EngineLoad> load) {
            return new Asked(name, worker.status(), worker.events(from.applyAsLong(name)), load);
        }

        Worker answer(long end) {
            List<Event> known = FleetFeed.answer(events, end);
            return new Worker(name, FleetFeed.answer(status, end), known == null ? List.of() : known, false);
        }

        @Nullable
        EngineLoad loadAnswer(long end) {
            return load == null ? null : FleetFeed.answer(load, Math.min(end, System.nanoTime() + LOAD.toNanos()));
        }
    }

    @Override
    public FleetLook look(ToLongFunction<String> from, boolean load) {
        Map<String, Integer> sizes = wanted.get();
        ServerGroup group = servers.get();
        RouterGroup routerGroup = router.get();
        Map<Integer, EnginePlan> plans =
                places.get().stream().collect(Collectors.toMap(EnginePlan::rank, Function.identity()));
        List<Asked> engines = new ArrayList<>();
        List<EnginePlan> asked = new ArrayList<>();
        for (int rank : group == null ? List.<Integer>of() : group.ranks()) {
            EnginePlan plan = plans.get(rank);
            if (group != null && plan != null) {
                asked.add(plan);
                ServerGroup engine = group.on(rank);
                engines.add(Asked.of(engine, plan.actorName(), from, load ? engine.load() : null));
            }
        }
        long end = System.nanoTime() + ANSWERS.toNanos();
        Worker found = routerName == null ? null : new Worker(routerName, null, List.of(), false);
        RegistryView registry = null;
        if (routerGroup != null && routerName != null) {
            WorkerGroupFuture<RegistryView> registered = routerGroup.registry();
            found = Asked.of(routerGroup, routerName, from, null).answer(end);
            registry = answer(registered, end);
        }
        List<Engine> answers = new ArrayList<>();
        for (int i = 0; i < engines.size(); i++) {
            Asked engine = engines.get(i);
            answers.add(new Engine(asked.get(i), engine.answer(end), engine.loadAnswer(end)));
        }
        return new FleetLook(sizes, answers, found, registry);
    }

    /** The answer of a single worker; null when there is none in time. */
    private static <T> @Nullable T answer(WorkerGroupFuture<T> future, long end) {
        try {
            return future.await(Duration.ofNanos(Math.max(1, end - System.nanoTime())))
                    .get(0);
        } catch (WorkerInterruptedException e) {
            throw e;
        } catch (WorkerException e) {
            return null;
        }
    }

    /** A driver that leaves Ray without closing its fleet leaves this too. */
    @Override
    public boolean isOver() {
        return !Ray.isInitialized();
    }
}
