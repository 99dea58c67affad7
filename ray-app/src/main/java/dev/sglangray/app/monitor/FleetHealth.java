/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.config.launcher.WorkerType;
import dev.sglangray.workers.protocol.RegisteredServer;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

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

    private static final List<WorkerType> PAIR = List.of(WorkerType.PREFILL, WorkerType.DECODE);

    private final String words;

    FleetHealth(String words) {
        this.words = words;
    }

    /** For people. */
    public String words() {
        return words;
    }

    /** What no engine does for a model. */
    private record Gap(String model, WorkerType type) {}

    /**
     * The verdict.
     *
     * @param others the servers that the router is to send to and no worker of the fleet has; healthy are those that it does
     * @param faults what is wrong between router and engines, in words
     */
    static FleetHealth of(List<WorkerStatus> workers, List<RegisteredServer> others, List<String> faults) {
        Predicate<WorkerStatus> lost =
                worker -> List.of("FAILED", "STOPPED", WorkerStatus.GONE).contains(worker.state());
        List<WorkerStatus> engines = of("server", workers);
        List<WorkerStatus> routers = of("router", workers);
        boolean noEngine =
                !engines.isEmpty() && others.isEmpty() && engines.stream().allMatch(lost);
        Set<String> unserved =
                gaps(workers, others, lost.negate()).stream().map(Gap::model).collect(Collectors.toSet());
        boolean noModel = !unserved.isEmpty() && unserved.containsAll(models(workers, others));
        if (routers.stream().anyMatch(lost) || noEngine || noModel) {
            return LOST;
        }
        if (!unserved.isEmpty()
                || engines.stream().anyMatch(lost.or(worker -> worker.state().equals("DRAINED")))) {
            return DEGRADED;
        }
        if (!workers.stream().allMatch(worker -> worker.state().equals("READY"))) {
            return HEALING;
        }
        return faults.isEmpty() ? HEALTHY : DEGRADED;
    }

    /** What no engine does at the moment though every request, or every one for a model, needs it, in words. */
    static List<String> gaps(List<WorkerStatus> workers, List<RegisteredServer> others) {
        boolean several = models(workers, others).size() > 1;
        return gaps(workers, others, worker -> worker.state().equals("READY")).stream()
                .map(gap -> gap.type() == WorkerType.REGULAR
                        ? "no engine of model '" + gap.model() + "' serves"
                        : "no " + gap.type().configName() + " engine "
                                + (several ? "of model '" + gap.model() + "' serves" : "serves")
                                + ", and every request " + (several ? "for it " : "") + "needs one")
                .toList();
    }

    /** What none of the engines that count does. Without a router, or pools, a fleet may be half of what another router serves with. */
    private static List<Gap> gaps(
            List<WorkerStatus> workers, List<RegisteredServer> others, Predicate<WorkerStatus> counts) {
        if (of("router", workers).isEmpty()) {
            return List.of();
        }
        Set<String> models = models(workers, others);
        List<Gap> gaps = new ArrayList<>();
        for (String model : models) {
            List<WorkerStatus> engines = of("server", workers).stream()
                    .filter(engine ->
                            isKnown(engine) && engine.identity().model().equals(model))
                    .toList();
            List<RegisteredServer> strangers = others.stream()
                    .filter(server -> server.modelId() == null
                            ? models.size() == 1
                            : server.modelId().equals(model))
                    .toList();
            boolean pair = PAIR.stream()
                    .anyMatch(type -> engines.stream()
                                    .anyMatch(
                                            engine -> !engine.identity().pool().isEmpty() && does(engine, type))
                            || strangers.stream().anyMatch(server -> does(server, type)));
            boolean single = models.size() == 1 && !engines.isEmpty();
            List<WorkerType> needed = pair ? PAIR : single ? List.of() : List.of(WorkerType.REGULAR);
            needed.stream()
                    .filter(type -> engines.stream().noneMatch(engine -> does(engine, type) && counts.test(engine))
                            && strangers.stream().noneMatch(server -> server.healthy() && does(server, type)))
                    .forEach(type -> gaps.add(new Gap(model, type)));
        }
        return gaps;
    }

    private static Set<String> models(List<WorkerStatus> workers, List<RegisteredServer> others) {
        Set<String> models = new LinkedHashSet<>();
        of("server", workers).stream()
                .filter(FleetHealth::isKnown)
                .forEach(engine -> models.add(engine.identity().model()));
        others.stream().map(RegisteredServer::modelId).filter(Objects::nonNull).forEach(models::add);
        return models;
    }

    /** Whether its worker says what the engine does. */
    private static boolean isKnown(WorkerStatus engine) {
        return !engine.identity().pool().isEmpty() || !engine.identity().model().isEmpty();
    }

    private static boolean does(RegisteredServer server, WorkerType type) {
        return server.workerType().equals(type.configName());
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
