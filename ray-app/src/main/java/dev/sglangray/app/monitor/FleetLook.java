/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.registry.RegistryView.MemberView;
import dev.sglangray.workers.supervision.Event;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A fleet at one moment, as its workers describe it. Immutable.
 *
 * @param wanted how many engines each pool is to have
 * @param engines the engines that have a worker, by rank
 * @param router the router's worker; null in a fleet without a router
 * @param registry what the router's worker has registered; null where it does not answer
 * @param listed the actors of the engines that the router sends to
 */
public record FleetLook(
        Map<String, Integer> wanted,
        List<Engine> engines,
        @Nullable Worker router,
        @Nullable RegistryView registry,
        Set<String> listed) {
    /** Before the first look. */
    public static final FleetLook NOTHING = new FleetLook(Map.of(), List.of(), null, null);

    /** Copies map and list. */
    public FleetLook {

        wanted = Collections.unmodifiableMap(new LinkedHashMap<>(wanted));
        engines = List.copyOf(engines);
        listed = Set.copyOf(listed);
    }

    /** With the engines that the registry lists. */
    public FleetLook(
            Map<String, Integer> wanted,
            List<Engine> engines,
            @Nullable Worker router,
            @Nullable RegistryView registry) {
        this(wanted, engines, router, registry, listed(registry));
    }

    private static Set<String> listed(@Nullable RegistryView registry) {
        Set<String> actors = new HashSet<>();
        if (registry != null) {
            for (MemberView member : registry.members()) {
                if (member.listed() && member.actor() != null) {
                    actors.add(member.actor());
                }
            }
        }
        return actors;
    }

    /**
     * A worker.
     *
     * @param name its actor's name
     * @param status what it says of itself; null where it does not answer
     * @param events its events since the last look
     * @param replaced whether its process is another than at the last look; its events then come with the next one
     */
    public record Worker(String name, @Nullable WorkerStatus status, List<Event> events, boolean replaced) {
        /** Copies the list. */
        public Worker {
            events = List.copyOf(events);
        }

        private static final String SILENT = "it does not answer";

        /** What it says of itself, or what stands for a worker that does not answer. */
        WorkerStatus statusOr(String kind, int rank, int size, String nodeIp) {
            return status != null
                    ? status
                    : WorkerStatus.gone(
                            kind, name.substring(0, Math.max(0, name.lastIndexOf(':'))), rank, size, nodeIp, SILENT);
        }

        /** The state that it names, or {@link WorkerStatus#GONE}. */
        public String state() {
            return status == null ? WorkerStatus.GONE : status.state();
        }

        public boolean isReady() {
            return state().equals("READY");
        }
    }

    /**
     * An engine.
     *
     * @param plan where it is, and its arguments
     * @param worker its worker
     * @param load how much it has to do; null where that was not asked for, or not answered
     */
    public record Engine(
            EnginePlan plan, Worker worker, @Nullable EngineLoad load) {}

    /** Whether requests are sent to an engine; without a router that is so when it is ready. */
    public boolean serves(Engine engine) {
        return engine.worker().isReady() && (router == null || isRegistered(engine));
    }

    /** Whether the router sends to an engine. */
    public boolean isRegistered(Engine engine) {
        return listed.contains(engine.plan().actorName());
    }

    /** What its workers and its router say; a worker that does not answer is there as gone. */
    public FleetCondition condition() {
        List<WorkerStatus> workers = new ArrayList<>();
        Optional<RouterListing> listing = RouterListing.NONE;
        if (router != null) {
            workers.add(router.statusOr("router", 0, 1, "?"));
            if (router.isReady()) {
                listing = Optional.of(
                        registry == null ? RouterListing.unknown(Worker.SILENT) : RouterListing.of(registry));
            }
        }
        engines.forEach(engine -> workers.add(engine.worker()
                .statusOr(
                        "server",
                        engine.plan().rank(),
                        engines.size(),
                        engine.plan().node().ip())));
        return new FleetCondition(workers, listing);
    }

    /** How many engines the fleet is to have. */
    public int size() {
        return wanted.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** Why the fleet does not serve as it should, in words; empty when it does. */
    public Optional<String> unready(double share) {
        if (router != null && !router.isReady()) {
            return Optional.of("the router is " + router.state());
        }
        long serving = engines.stream().filter(this::serves).count();
        // A share such as 0.1 times 30 is a little more than 3.
        long needed = (long) Math.ceil(size() * share - 1e-9);
        if (serving >= needed) {
            return Optional.empty();
        }
        List<String> words = new ArrayList<>();
        for (Engine engine : engines) {
            if (!serves(engine)) {
                words.add("engine " + engine.plan().rank() + " is "
                        + (engine.worker().isReady()
                                ? "not in the router"
                                : engine.worker().state()));
            }
        }
        if (engines.size() < size()) {
            words.add(size() - engines.size() + " engine(s) have no worker");
        }
        return Optional.of("%d of %d engine(s) serve, and ready_share %s needs %d: %s"
                .formatted(serving, size(), share, needed, String.join(", ", words)));
    }
}
