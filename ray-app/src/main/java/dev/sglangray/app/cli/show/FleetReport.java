/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.Fleet;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.app.monitor.FleetCondition;
import dev.sglangray.app.monitor.FleetHealth;
import dev.sglangray.app.monitor.OwnerUrls;
import dev.sglangray.app.monitor.RouterListing;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.WorkerGroupFuture;
import dev.sglangray.workers.WorkerInterruptedException;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A running fleet as its workers describe it: for people a table, for programs one line of JSON.
 *
 * @param namespace the Ray namespace
 * @param apiUrl where to send requests, or null when nothing serves
 * @param condition what workers and router say
 * @param urls where the fleet's owner serves what it sees
 */
public record FleetReport(String namespace, @Nullable String apiUrl, FleetCondition condition, OwnerUrls urls) {
    /** A router that answers does so at once. */
    private static final Duration LISTING = Duration.ofSeconds(5);

    private static final String NOT_NAMED = "Ray has no actor of this name any more";
    /** For all workers together: those of a lost node answer once it is back. */
    private static final Duration ANSWERS = Duration.ofSeconds(10);

    /** Asks a fleet's workers. */
    public static FleetReport of(String namespace, Fleet fleet) {
        return of(
                AttachedFleet.of(
                        namespace,
                        fleet.serverGroup().orElse(null),
                        fleet.routerGroup().orElse(null)),
                fleet.urls());
    }

    /** Asks what lives of a fleet. */
    public static FleetReport of(AttachedFleet fleet) {
        return of(fleet, fleet.urls());
    }

    private static FleetReport of(AttachedFleet fleet, OwnerUrls urls) {
        ServerGroup servers = fleet.serversOrNull();
        RouterGroup router = fleet.routerOrNull();
        List<WorkerStatus> workers = new ArrayList<>();
        Optional<RouterListing> listing = RouterListing.NONE;
        List<WorkerGroupFuture<WorkerStatus>> engines = new ArrayList<>();
        if (servers != null) {
            servers.ranks().forEach(rank -> engines.add(servers.on(rank).status()));
        }
        long begin = System.nanoTime();
        long end = begin + ANSWERS.toNanos();
        if (router != null) {
            WorkerGroupFuture<RegistryView> listed = router.registry();
            WorkerStatus status = of(router.status(), end, "router", router.name(), 0, 1);
            workers.add(status);
            if (status.state().equals("READY")) {
                listing = Optional.of(listing(listed, begin + LISTING.toNanos()));
            }
        } else if (fleet.routerName().isPresent()) {
            workers.add(WorkerStatus.gone("router", fleet.routerName().get(), 0, 1, "?", NOT_NAMED));
        }
        if (servers != null) {
            int size = servers.size() + servers.gone().size();
            List<Integer> ranks = servers.ranks();
            for (int i = 0; i < engines.size(); i++) {
                workers.add(of(engines.get(i), end, "server", servers.name(), ranks.get(i), size));
            }
            for (int rank : servers.gone()) {
                workers.add(WorkerStatus.gone("server", servers.name(), rank, size, "?", NOT_NAMED));
            }
            workers.sort(Comparator.comparing(
                            (WorkerStatus worker) -> worker.identity().kind().equals("server"))
                    .thenComparing(worker -> worker.identity().rank()));
        }
        FleetCondition condition = new FleetCondition(workers, listing);
        return new FleetReport(fleet.namespace(), condition.apiUrl(), condition, urls);
    }

    /** A router that does not answer is a line of the report, not the end of it. */
    private static RouterListing listing(WorkerGroupFuture<RegistryView> listed, long end) {
        try {
            return RouterListing.of(listed.await(left(end)).get(0));
        } catch (WorkerInterruptedException e) {
            throw e;
        } catch (WorkerException e) {
            return RouterListing.unknown(String.valueOf(e.getMessage()));
        }
    }

    private static Duration left(long end) {
        return Duration.ofNanos(Math.max(1, end - System.nanoTime()));
    }

    /** A worker that does not answer is a line of the report, not the end of it. */
    private static WorkerStatus of(
            WorkerGroupFuture<WorkerStatus> status, long end, String kind, String group, int rank, int size) {
        try {
            return status.await(left(end)).get(0);
        } catch (WorkerInterruptedException e) {
            throw e;
        } catch (WorkerException e) {
            return WorkerStatus.gone(kind, group, rank, size, "?", String.valueOf(e.getMessage()));
        }
    }

    /** Router first, then engines by rank. */
    public List<WorkerStatus> workers() {
        return condition.workers();
    }

    /** How the fleet is, in one word. */
    public FleetHealth verdict() {
        return condition.verdict();
    }

    public void print(Console console, boolean json, Map<LaunchPhase, Duration> phases) {
        if (json) {
            console.result(json(phases));
        } else {
            lines().forEach(console::result);
        }
    }

    /** For people. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        if (apiUrl != null) {
            lines.add("url        " + apiUrl);
        }
        if (urls.metrics() != null) {
            lines.add("metrics    " + urls.metrics() + "/metrics");
        }
        if (urls.dashboard() != null) {
            lines.add("dashboard  " + urls.dashboard());
        }
        lines.add("fleet      " + verdict().words());
        condition.faults().forEach(words -> lines.add("           " + words));
        condition.strangers().forEach(words -> lines.add("           " + words));
        for (WorkerStatus worker : workers()) {
            lines.add(String.format(
                    "%-10s %-10s %-28s node %s%s%s%s%s",
                    worker.identity().kind().equals("router") ? "router" : name(worker.identity()),
                    worker.state().toLowerCase(Locale.ROOT),
                    worker.url() == null ? "-" : worker.url(),
                    nodes(worker.process()),
                    worker.process().devices().isEmpty() ? "" : "  accelerators " + devices(worker.process()),
                    worker.supervision().restarts() == 0
                            ? ""
                            : "  restarts " + worker.supervision().restarts() + ", since "
                                    + worker.supervision().since(),
                    worker.service().weightVersion() == null
                            ? ""
                            : "  weights " + worker.service().weightVersion(),
                    worker.process().log() == null
                            ? ""
                            : "  log " + worker.process().log()));
            worker.service()
                    .changes()
                    .forEach((key, value) ->
                            lines.add("           changed: " + key + "=" + (value == null ? "(default)" : value)));
            worker.service().conditions().forEach(words -> lines.add("           " + words));
            if (worker.supervision().failure() != null) {
                lines.add("           " + worker.supervision().failure().replace("\n", "\n           "));
            } else if (worker.supervision().lastError() != null) {
                lines.add("           healed: "
                        + worker.supervision().lastError().lines().findFirst().orElse(""));
            }
        }
        return lines;
    }

    private static String name(WorkerStatus.Identity engine) {
        return "engine " + engine.rank() + (engine.pool().isEmpty() ? "" : " " + engine.pool());
    }

    /** Those of the further parts after a plus. */
    static String devices(WorkerStatus.ProcessPart process) {
        return Stream.concat(
                        Stream.of(process.devices()), process.parts().stream().map(WorkerStatus.Part::devices))
                .map(devices -> String.join(",", devices))
                .collect(Collectors.joining(" + "));
    }

    static String nodes(WorkerStatus.ProcessPart process) {
        return Stream.concat(
                        Stream.of(process.nodeIp()), process.parts().stream().map(WorkerStatus.Part::nodeIp))
                .collect(Collectors.joining(","));
    }

    private String json(Map<LaunchPhase, Duration> phases) {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("namespace", namespace);
        report.put("api_url", apiUrl);
        if (urls.metrics() != null) {
            report.put("metrics_url", urls.metrics());
        }
        if (urls.dashboard() != null) {
            report.put("dashboard_url", urls.dashboard());
        }
        report.put("verdict", verdict().name());
        report.put("workers", workers());
        report.put("registered", condition.listing().map(RouterListing::servers).orElse(List.of()));
        report.put("faults", condition.faults());
        if (!phases.isEmpty()) {
            Map<String, Double> seconds = new LinkedHashMap<>();
            phases.forEach((phase, took) -> seconds.put(phase.label(), took.toMillis() / 1000.0));
            report.put("phases_s", seconds);
        }
        try {
            return new ObjectMapper().writeValueAsString(report);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report is not JSON", e);
        }
    }
}
