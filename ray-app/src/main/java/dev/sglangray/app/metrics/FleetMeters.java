/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import dev.sglangray.app.autoscaling.Hold;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.app.monitor.PoolDemand;
import dev.sglangray.workers.engine.ReleasedMemory;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Stream;

/** The metrics of one fleet, made of looks at it. Looks come from one thread; what is counted besides may come from any. */
final class FleetMeters {
    private static final List<String> STATES = Stream.concat(
                    Stream.of(WorkerState.values()).map(Enum::name), Stream.of(WorkerStatus.GONE))
            .map(FleetMeters::lower)
            .toList();

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Meters.Gauges gauges;
    private final Instant since;
    private final Function<String, SupervisionPolicy> policies;
    private final SupervisionPolicy routerPolicy;
    private final Map<String, WorkerHistory> histories = new HashMap<>();
    private final Map<String, PoolDemand> demands = new ConcurrentHashMap<>();

    /**
     * Without a look yet.
     *
     * @param fleet the label of all metrics
     * @param since what workers did before is not counted
     * @param policies how the engines of a pool are supervised, by the pool's name
     */
    FleetMeters(
            String fleet, Instant since, Function<String, SupervisionPolicy> policies, SupervisionPolicy routerPolicy) {
        this.since = since;
        this.policies = policies;
        this.routerPolicy = routerPolicy;
        registry.config().commonTags("fleet", fleet);
        gauges = new Meters.Gauges(registry);
        Meters.LOOK_FAILURES.counter(registry, Tags.empty());
    }

    /** Takes a look in. */
    void take(FleetLook look, Duration took, Instant now) {
        Meters.LOOK.timer(registry, Tags.empty()).record(took);
        Set<String> seen = new LinkedHashSet<>();
        Rows rows = new Rows();
        for (Engine engine : look.engines()) {
            WorkerHistory history =
                    history(engine.worker(), "engine", engine.plan().pool(), seen);
            history.take(engine.worker(), now);
            rows.engine(look, engine, history, now);
        }
        Worker router = look.router();
        if (router != null) {
            WorkerHistory history = history(router, "router", "", seen);
            history.take(router, now);
            rows.add(Meters.ROUTER_UP, Tags.empty(), router.isReady() ? 1 : 0);
            rows.budget(history, Tags.of("kind", "router", "pool", "", "rank", "0"), now);
        }
        if (look.engines().size() >= look.size()) {
            // An engine that is being moved has no worker for a while, and comes back.
            histories.keySet().retainAll(seen);
        }
        rows.pools(look);
        demands.values().forEach(rows::demand);
        rows.add(Meters.LAST_LOOK, Tags.empty(), now.toEpochMilli() / 1000.0);
        gauges.show(rows.rows);
    }

    private WorkerHistory history(Worker worker, String kind, String pool, Set<String> seen) {
        seen.add(worker.name());
        return histories.computeIfAbsent(
                worker.name(),
                name -> new WorkerHistory(
                        registry,
                        Tags.of("kind", kind, "pool", pool),
                        kind.equals("router") ? routerPolicy : policies.apply(pool),
                        since));
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

        void engine(FleetLook look, Engine engine, WorkerHistory history, Instant now) {
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
            budget(history, rank.and("kind", "engine"), now);
            if (status == null) {
                return;
            }
            boolean released = status.service().conditions().stream().anyMatch(ReleasedMemory::isText);
            add(Meters.MEMORY_RELEASED, rank, released ? 1 : 0);
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

        void budget(WorkerHistory history, Tags tags, Instant now) {
            add(Meters.BUDGET, tags, history.budgetUsed(now));
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
