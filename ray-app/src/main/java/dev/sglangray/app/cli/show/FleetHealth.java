/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import dev.sglangray.config.launcher.WorkerType;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.util.List;
import java.util.function.Predicate;

/** How a fleet is, in one word made of what its workers and its router say. */
public enum FleetHealth {
    /** All serve. */
    HEALTHY("healthy"),
    /** Something is being replaced at the moment. */
    HEALING("healing: a worker is being replaced"),
    /** Some engines are lost or drained; the others serve. */
    DEGRADED("degraded: not all engines get requests"),
    /** Nothing can be served any more. */
    LOST("lost: nothing is served");

    /** The state of a worker that does not answer. */
    static final String GONE = "GONE";

    private static final List<WorkerType> PAIR = List.of(WorkerType.PREFILL, WorkerType.DECODE);

    private final String words;

    FleetHealth(String words) {
        this.words = words;
    }

    String words() {
        return words;
    }

    /**
     * The verdict.
     *
     * @param faults what is wrong between router and engines, in words
     */
    static FleetHealth of(List<WorkerStatus> workers, List<String> faults) {
        Predicate<WorkerStatus> lost =
                worker -> List.of("FAILED", "STOPPED", GONE).contains(worker.state());
        List<WorkerStatus> engines = of("server", workers);
        List<WorkerStatus> routers = of("router", workers);
        boolean noEngine = !engines.isEmpty() && engines.stream().allMatch(lost);
        if (routers.stream().anyMatch(lost)
                || noEngine
                || !without(workers, lost.negate()).isEmpty()) {
            return LOST;
        }
        if (engines.stream().anyMatch(lost.or(worker -> worker.state().equals("DRAINED")))) {
            return DEGRADED;
        }
        if (!workers.stream().allMatch(worker -> worker.state().equals("READY"))) {
            return HEALING;
        }
        return faults.isEmpty() ? HEALTHY : DEGRADED;
    }

    /** What no engine does at the moment though every request needs it, in words. */
    static List<String> gaps(List<WorkerStatus> workers) {
        return without(workers, worker -> worker.state().equals("READY")).stream()
                .map(type -> "no " + type.configName() + " engine serves, and every request needs one")
                .toList();
    }

    /** Which of prefill and decode none of the engines that count does, in a fleet where both are needed. */
    private static List<WorkerType> without(List<WorkerStatus> workers, Predicate<WorkerStatus> counts) {
        // Without pools, or a router of its own, it may be one half of what another router serves with.
        List<WorkerStatus> engines = of("server", workers).stream()
                .filter(engine -> !engine.identity().pool().isEmpty())
                .toList();
        boolean none = PAIR.stream().noneMatch(type -> engines.stream().anyMatch(engine -> does(engine, type)));
        if (none || of("router", workers).isEmpty()) {
            return List.of();
        }
        return PAIR.stream()
                .filter(type -> engines.stream().noneMatch(engine -> does(engine, type) && counts.test(engine)))
                .toList();
    }

    private static boolean does(WorkerStatus engine, WorkerType type) {
        return engine.identity().workerType().equals(type.configName());
    }

    private static List<WorkerStatus> of(String kind, List<WorkerStatus> workers) {
        return workers.stream()
                .filter(worker -> worker.identity().kind().equals(kind))
                .toList();
    }
}
