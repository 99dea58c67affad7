/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import dev.sglangray.app.autoscaling.Hold;
import dev.sglangray.app.monitor.Episode;
import dev.sglangray.app.monitor.Episode.Cause;
import dev.sglangray.app.monitor.Episode.Moment;
import dev.sglangray.app.monitor.Episode.OutOfService;
import dev.sglangray.app.monitor.Episode.Restart;
import dev.sglangray.app.monitor.Episode.Update;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.app.monitor.PoolDemand;
import dev.sglangray.workers.engine.ReleasedMemory;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The metrics of one fleet, made of looks at it. Looks come from one thread; what is counted besides may come from any. */
final class FleetMeters {
    private static final List<String> STATES = Stream.concat(
                    Stream.of(WorkerState.values()).map(Enum::name), Stream.of(WorkerStatus.GONE))
            .map(FleetMeters::lower)
            .toList();

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Meters.Gauges gauges;

    private final Function<String, SupervisionPolicy> policies;
    private final SupervisionPolicy routerPolicy;
    /** The labels whose counts have begun. */
    private final Set<Tags> begun = new HashSet<>();
    /** What each counter of a worker's process, and of the registry, was at the last look. */
    private final Map<String, Counted> counted = new HashMap<>();
    /** When each worker spent a restart of its budget, within the window. */
    private final Map<String, Deque<Instant>> spent = new HashMap<>();

    /**
     * Something that counts from 0 in each process.
     *
     * @param process the process
     * @param count what it was at the last look
     */
    private record Counted(String process, long count) {}

    private final Map<String, PoolDemand> demands = new ConcurrentHashMap<>();

    /**
     * Without a look yet.
     *
     * @param fleet the label of all metrics
     *
     * @param policies how the engines of a pool are supervised, by the pool's name
     */
    FleetMeters(String fleet, Function<String, SupervisionPolicy> policies, SupervisionPolicy routerPolicy) {
        this.policies = policies;
        this.routerPolicy = routerPolicy;
        registry.config().commonTags("fleet", fleet);
        gauges = new Meters.Gauges(registry);
        Meters.LOOK_FAILURES.counter(registry, Tags.empty());
    }

    /** Counts what happened to a worker. */
    void happened(Episode episode) {
        Tags tags = tags(episode.isEngine(), episode.pool());
        Tags pool = Tags.of("pool", episode.pool());
        if (episode.what() instanceof Restart restart) {
            Meters.RESTARTS
                    .counter(registry, tags.and("cause", lower(restart.cause().name())))
                    .increment();
            Meters.RECOVERY.timer(registry, tags).record(episode.took());
        } else if (episode.what() instanceof OutOfService) {
            Meters.OUT_OF_SERVICE.timer(registry, pool).record(episode.took());
        } else if (episode.what() instanceof Update update) {
            Meters.UPDATE
                    .timer(registry, pool.and("phase", lower(update.phase().name())))
                    .record(episode.took());
        } else if (episode.what() instanceof Moment moment) {
            switch (moment.kind()) {
                case RESTART_DUE ->
                    spent.computeIfAbsent(episode.worker(), name -> new ArrayDeque<>())
                            .addLast(episode.begin());
                case PROBE_FAILED ->
                    Meters.PROBE_FAILURES.counter(registry, tags).increment();
                case DRAIN -> Meters.DRAINS.counter(registry, pool).increment();
            }
        }
    }

    private static Tags tags(boolean isEngine, String pool) {
        return Tags.of("kind", isEngine ? "engine" : "router", "pool", pool);
    }

    /** Counts begin at 0, so that the first one shows as an increase. */
    private void begin(boolean isEngine, String pool) {
        Tags tags = tags(isEngine, pool);
        if (!begun.add(tags)) {
            return;
        }
        for (Cause cause : Cause.values()) {
            Meters.RESTARTS.counter(registry, tags.and("cause", lower(cause.name())));
        }
        Meters.RECOVERY.timer(registry, tags);
        Meters.PROBES.counter(registry, tags);
        Meters.PROBE_FAILURES.counter(registry, tags);
        if (isEngine) {
            Meters.OUT_OF_SERVICE.timer(registry, Tags.of("pool", pool));
            Meters.DRAINS.counter(registry, Tags.of("pool", pool));
        }
    }

    /** Takes a look in. */
    void take(FleetLook look, Duration took, Instant now) {
        Meters.LOOK.timer(registry, Tags.empty()).record(took);
        Set<String> seen = new HashSet<>();
        Rows rows = new Rows();
        for (Engine engine : look.engines()) {
            String pool = engine.plan().pool();
            begin(true, pool);
            seen.add(engine.worker().name());
            probes(engine.worker(), tags(true, pool));
            rows.engine(look, engine, budgetUsed(engine.worker(), policies.apply(pool), now), now);
        }
        Worker router = look.router();
        if (router != null) {
            begin(false, "");
            seen.add(router.name());
            probes(router, tags(false, ""));
            repairs(router, look.registry());
            rows.add(Meters.ROUTER_UP, Tags.empty(), router.isReady() ? 1 : 0);
            rows.add(
                    Meters.BUDGET,
                    Tags.of("kind", "router", "pool", "", "rank", "0"),
                    budgetUsed(router, routerPolicy, now));
        }
        if (look.engines().size() >= look.size()) {
            // An engine that is being moved has no worker for a while, and comes back.
            spent.keySet().retainAll(seen);
            seen.add("the registry");
            counted.keySet().retainAll(seen);
        }
        rows.pools(look);
        demands.values().forEach(rows::demand);
        rows.add(Meters.LAST_LOOK, Tags.empty(), now.toEpochMilli() / 1000.0);
        gauges.show(rows.rows);
    }

    private void probes(Worker worker, Tags tags) {
        WorkerStatus status = worker.status();
        if (status != null) {
            Meters.PROBES
                    .counter(registry, tags)
                    .increment(since(
                            worker.name(), process(status), status.supervision().probes()));
        }
    }

    private void repairs(Worker router, @Nullable RegistryView view) {
        WorkerStatus status = router.status();
        if (status != null && view != null) {
            Meters.REPAIRS
                    .counter(registry, Tags.empty())
                    .increment(since("the registry", process(status), view.repairs()));
        }
    }

    private static String process(WorkerStatus status) {
        return status.process().nodeId() + " " + status.process().workerPid();
    }

    /** How much a counter of a process has grown since the last look, or since the process began. */
    private double since(String name, String process, long count) {
        Counted last = counted.put(name, new Counted(process, count));
        return (double) (last == null || !last.process().equals(process) ? count : Math.max(0, count - last.count()));
    }

    /** The share of the restarts that are allowed within the window; 1 or more when none is left. */
    private double budgetUsed(Worker worker, SupervisionPolicy policy, Instant now) {
        Deque<Instant> times = spent.getOrDefault(worker.name(), new ArrayDeque<>());
        Instant begin = now.minusMillis(Math.round(policy.restartWindowSeconds() * 1000));
        while (!times.isEmpty() && !times.peekFirst().isAfter(begin)) {
            times.removeFirst();
        }
        return policy.maxRestarts() == 0 ? 0 : (double) times.size() / policy.maxRestarts();
    }

    /** A look failed. */
    void failed() {
        Meters.LOOK_FAILURES.counter(registry, Tags.empty()).increment();
    }

    /** A phase of a launch or of a change of size is over. */
    void phase(String phase, Duration took) {
        Meters.PHASE.timer(registry, Tags.of("phase", phase)).record(took);
    }

    /** A change of the number of engines is over. */
    void scaled(String pool, boolean up, boolean done) {
        Meters.SCALE
                .counter(
                        registry,
                        Tags.of("pool", pool, "direction", up ? "up" : "down", "result", done ? "done" : "failed"))
                .increment();
    }

    /** What autoscaling makes of a pool's load; shown with the next look. */
    void demand(PoolDemand demand) {
        if (demands.put(demand.pool(), demand) == null) {
            for (PoolDemand.Result result : PoolDemand.Result.values()) {
                decisions(demand.pool(), true, result);
                decisions(demand.pool(), false, result);
            }
        }
    }

    /** A decision of autoscaling was carried out, or could not be. */
    void decided(String pool, boolean up, PoolDemand.Result result) {
        decisions(pool, up, result).increment();
    }

    private Counter decisions(String pool, boolean up, PoolDemand.Result result) {
        return Meters.AUTOSCALING_DECISIONS.counter(
                registry, Tags.of("pool", pool, "direction", up ? "up" : "down", "result", lower(result.name())));
    }

    /** In Prometheus' text format. */
    String text() {
        return registry.scrape();
    }

    private static String lower(String word) {
        return word.toLowerCase(Locale.ROOT);
    }

    private static final class Rows {
        private final Map<Meters, List<MultiGauge.Row<?>>> rows = new EnumMap<>(Meters.class);

        void add(Meters meter, Tags tags, double value) {
            rows.computeIfAbsent(meter, name -> new ArrayList<>()).add(MultiGauge.Row.of(tags, value));
        }

        void engine(FleetLook look, Engine engine, double budgetUsed, Instant now) {
            Tags rank = Tags.of(
                    "pool",
                    engine.plan().pool(),
                    "rank",
                    String.valueOf(engine.plan().rank()));
            WorkerStatus status = engine.worker().status();
            add(
                    Meters.ENGINE_UP,
                    rank.and(
                            "node",
                            engine.plan().node().ip(),
                            "model",
                            status == null ? "" : status.identity().model()),
                    look.serves(engine) ? 1 : 0);
            add(Meters.BUDGET, rank.and("kind", "engine"), budgetUsed);
            if (status == null) {
                return;
            }
            boolean released = status.service().conditions().stream().anyMatch(ReleasedMemory::isText);
            add(Meters.MEMORY_RELEASED, rank, released ? 1 : 0);
            String forked = status.supervision().forkServerSince();
            if (forked != null) {
                add(
                        Meters.FORK_SERVER_AGE,
                        rank,
                        Duration.between(Instant.parse(forked), now).toMillis() / 1000.0);
            }
            String version = status.service().weightVersion();
            if (version != null) {
                add(
                        Meters.WEIGHT_VERSION,
                        rank.and(
                                "model",
                                status.identity().model(),
                                "updates",
                                String.valueOf(status.identity().updateWeights()),
                                "version",
                                version),
                        1);
            }
        }

        void pools(FleetLook look) {
            Set<String> pools = new LinkedHashSet<>(look.wanted().keySet());
            look.engines().forEach(engine -> pools.add(engine.plan().pool()));
            for (String name : pools) {
                Tags pool = Tags.of("pool", name);
                List<Engine> engines = look.engines().stream()
                        .filter(engine -> engine.plan().pool().equals(name))
                        .toList();
                for (String state : STATES) {
                    int count = (int) engines.stream()
                            .filter(engine -> lower(engine.worker().state()).equals(state))
                            .count();
                    add(Meters.ENGINES, pool.and("state", state), count);
                }
                int wanted = look.wanted().getOrDefault(name, 0);
                add(Meters.ENGINES_WANTED, pool, wanted);
                if (look.router() != null) {
                    int registered =
                            (int) engines.stream().filter(look::isRegistered).count();
                    add(Meters.ENGINES_REGISTERED, pool, registered);
                    add(Meters.ENGINES_UNREGISTERED, pool, engines.size() - registered);
                }
                add(Meters.ACCELERATORS, pool.and("use", "planned"), accelerators(engines.stream()));
                add(
                        Meters.ACCELERATORS,
                        pool.and("use", "running"),
                        accelerators(engines.stream()
                                .filter(engine -> engine.worker().status() != null
                                        && engine.worker().status().process().pid() != null)));
            }
        }

        void demand(PoolDemand demand) {
            Tags pool = Tags.of("pool", demand.pool());
            add(Meters.AUTOSCALING_DESIRED, pool, demand.desired());
            add(Meters.AUTOSCALING_ONGOING, pool, demand.ongoing());
            for (Hold hold : Hold.values()) {
                add(
                        Meters.AUTOSCALING_HELD,
                        pool.and("reason", hold.label()),
                        demand.held().contains(hold.label()) ? 1 : 0);
            }
        }

        private static int accelerators(Stream<Engine> engines) {
            return engines.mapToInt(engine -> engine.plan().accelerators()).sum();
        }
    }
}
