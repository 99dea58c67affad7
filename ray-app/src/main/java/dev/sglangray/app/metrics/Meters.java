/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Every metric, with its name, its help and its kind. Prometheus' suffixes come from Micrometer. */
enum Meters {
    ENGINES(Kind.GAUGE, "engines", "Engines that have a worker, by its state."),
    ENGINES_WANTED(Kind.GAUGE, "engines.wanted", "Engines that the fleet is to have."),
    ENGINES_REGISTERED(Kind.GAUGE, "engines.registered", "Engines that the router sends to."),
    ENGINES_UNREGISTERED(Kind.GAUGE, "engines.unregistered", "Engines that the router does not send to."),
    ENGINE_UP(Kind.GAUGE, "engine.up", "1 for an engine that gets requests, else 0."),
    ROUTER_UP(Kind.GAUGE, "router.up", "1 while the router is ready, else 0."),
    RESTARTS(Kind.COUNTER, "restarts", "Processes that came back, by what ended them."),
    RECOVERY(Kind.HISTOGRAM, "recovery", "From the end of a process until its successor serves."),
    OUT_OF_SERVICE(
            Kind.HISTOGRAM, "out.of.service", "How long the router did not send to an engine, once that is over."),
    BUDGET(Kind.GAUGE, "restart.budget.used.ratio", "Restarts of the current window by those that are allowed."),
    PROBES(Kind.COUNTER, "probes", "Probes that were answered or failed."),
    PROBE_FAILURES(Kind.COUNTER, "probe.failures", "Probes that failed."),
    REPAIRS(Kind.COUNTER, "registry.repairs", "How often the router's list was put right."),
    FORK_SERVER_AGE(
            Kind.GAUGE,
            "fork.server.age.seconds",
            "How long the process that an engine's starts are forked from has been ready."),
    WEIGHT_VERSION(Kind.GAUGE, "weight.version.info", "1, with the version of an engine's weights as a label."),
    UPDATE(Kind.HISTOGRAM, "weight.update", "What an engine spent on each phase of an update of its weights."),
    MEMORY_RELEASED(Kind.GAUGE, "memory.released", "1 while an engine's accelerator memory is lent, else 0."),
    DRAINS(Kind.COUNTER, "drains", "Drains of engines that began."),
    SCALE(Kind.COUNTER, "scale.changes", "Changes of the number of engines, by direction and result."),
    AUTOSCALING_DESIRED(
            Kind.GAUGE,
            "autoscaling.desired.engines",
            "Engines that a pool is to have by its load, within its bounds."),
    AUTOSCALING_ONGOING(
            Kind.GAUGE,
            "autoscaling.ongoing.requests",
            "Ongoing requests of a pool, averaged, as autoscaling sees them."),
    AUTOSCALING_HELD(
            Kind.GAUGE, "autoscaling.held", "1 while autoscaling does not change a pool for a reason, else 0."),
    AUTOSCALING_DECISIONS(Kind.COUNTER, "autoscaling.decisions", "Decisions of autoscaling, by direction and result."),
    ACCELERATORS(Kind.GAUGE, "accelerators", "Accelerators of engines: of all planned ones, and of those that run."),
    PHASE(Kind.HISTOGRAM, "launch.phase", "What each phase of a launch or a change of size took."),
    LOOK(Kind.HISTOGRAM, "look", "What a look at the fleet took."),
    LOOK_FAILURES(Kind.COUNTER, "look.failures", "Looks at the fleet that failed."),
    LAST_LOOK(Kind.GAUGE, "last.look.timestamp.seconds", "When the fleet was last looked at, in seconds since 1970.");

    /** What Prometheus calls them; a histogram counts seconds. */
    enum Kind {
        GAUGE,
        COUNTER,
        HISTOGRAM
    }

    private static final Duration[] BUCKETS = {
        Duration.ofMillis(100),
        Duration.ofSeconds(1),
        Duration.ofSeconds(5),
        Duration.ofSeconds(15),
        Duration.ofSeconds(30),
        Duration.ofMinutes(1),
        Duration.ofMinutes(2),
        Duration.ofMinutes(5),
        Duration.ofMinutes(15),
        Duration.ofHours(1)
    };

    final Kind kind;
    private final String base;
    private final String help;

    Meters(Kind kind, String base, String help) {
        this.kind = kind;
        this.base = "sglang.ray." + base;
        this.help = help;
    }

    /** The name in Prometheus. */
    String prometheusName() {
        return base.replace('.', '_')
                + switch (kind) {
                    case GAUGE -> "";
                    case COUNTER -> "_total";
                    case HISTOGRAM -> "_seconds";
                };
    }

    Counter counter(MeterRegistry registry, Tags tags) {
        return Counter.builder(base).description(help).tags(tags).register(registry);
    }

    Timer timer(MeterRegistry registry, Tags tags) {
        return Timer.builder(base)
                .description(help)
                .tags(tags)
                .serviceLevelObjectives(BUCKETS)
                .register(registry);
    }

    /** The rows of all gauges of one look; those of an earlier look that are not among them end. */
    static final class Gauges {
        private final Map<Meters, MultiGauge> gauges = new HashMap<>();

        Gauges(MeterRegistry registry) {
            for (Meters meter : values()) {
                if (meter.kind == Kind.GAUGE) {
                    gauges.put(
                            meter,
                            MultiGauge.builder(meter.base)
                                    .description(meter.help)
                                    .register(registry));
                }
            }
        }

        void show(Map<Meters, List<MultiGauge.Row<?>>> rows) {
            gauges.forEach((meter, gauge) -> gauge.register(rows.getOrDefault(meter, List.of()), true));
        }
    }
}
