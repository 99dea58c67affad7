/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * How much the engines of a fleet have to do.
 *
 * @param time when they were asked
 * @param report how the fleet is
 * @param loads by rank, of the engines that answered
 */
public record FleetLoads(Instant time, FleetReport report, Map<Integer, EngineLoad> loads) {
    private static final List<String> HEAD = List.of(
            "RANK",
            "POOL",
            "STATE",
            "NODE",
            "ACCELERATORS",
            "RUNNING",
            "QUEUED",
            "TOKENS/S",
            "KV",
            "WEIGHTS",
            "RESTARTS");

    /** Copies the map. */
    public FleetLoads {
        loads = Map.copyOf(loads);
    }

    /** Asks the workers. */
    public static FleetLoads of(AttachedFleet fleet, Questions<EngineLoad> questions) throws InterruptedException {
        Instant time = Instant.now();
        Map<String, Supplier<CompletableFuture<EngineLoad>>> asked = new LinkedHashMap<>();
        Map<String, Integer> ranks = new LinkedHashMap<>();
        ServerGroup servers = fleet.serversOrNull();
        if (servers != null) {
            for (int rank : servers.ranks()) {
                ranks.put("engine " + rank, rank);
                asked.put(
                        "engine " + rank,
                        () -> servers.on(rank).load().toCompletableFuture().thenApply(loads -> loads.get(0)));
            }
        }
        Map<Integer, EngineLoad> loads = new LinkedHashMap<>();
        questions.ask(asked).forEach((name, load) -> loads.put(Objects.requireNonNull(ranks.get(name)), load));
        return new FleetLoads(time, fleet.report(), loads);
    }

    private List<WorkerStatus> engines() {
        return report.workers().stream()
                .filter(worker -> worker.identity().kind().equals("server"))
                .toList();
    }

    private EngineLoad load(WorkerStatus engine) {
        return loads.getOrDefault(engine.identity().rank(), EngineLoad.UNKNOWN);
    }

    /** For people. */
    public List<String> lines() {
        List<List<String>> rows = new ArrayList<>(List.of(HEAD));
        for (WorkerStatus engine : engines()) {
            EngineLoad load = load(engine);
            boolean gone = engine.state().equals(WorkerStatus.GONE);
            rows.add(List.of(
                    Integer.toString(engine.identity().rank()),
                    orDash(engine.identity().pool()),
                    engine.state().toLowerCase(Locale.ROOT),
                    gone ? "-" : FleetReport.nodes(engine.process()),
                    orDash(FleetReport.devices(engine.process())),
                    orDash(load.running()),
                    orDash(load.queued()),
                    load.tokensPerSecond() == null ? "-" : String.format(Locale.ROOT, "%.1f", load.tokensPerSecond()),
                    load.kvUse() == null ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * load.kvUse()),
                    orDash(engine.service().weightVersion()),
                    gone ? "-" : Integer.toString(engine.supervision().restarts())));
        }
        List<Integer> widths = IntStream.range(0, HEAD.size())
                .mapToObj(column -> rows.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElse(0))
                .toList();
        List<String> lines = new ArrayList<>();
        if (report.apiUrl() != null) {
            lines.add("url    " + report.apiUrl());
        }
        lines.add("fleet  " + report.verdict().words());
        for (List<String> row : rows) {
            lines.add(IntStream.range(0, row.size())
                    .mapToObj(column -> row.get(column)
                            + " ".repeat(widths.get(column) - row.get(column).length()))
                    .collect(Collectors.joining("  "))
                    .stripTrailing());
        }
        return lines;
    }

    private static String orDash(@Nullable Object value) {
        return value == null || value.equals("") ? "-" : value.toString();
    }

    /** One line for programs. */
    public String json() {
        List<Map<String, Object>> engines = new ArrayList<>();
        for (WorkerStatus engine : engines()) {
            EngineLoad load = load(engine);
            Map<String, @Nullable Object> row = new LinkedHashMap<>();
            row.put("rank", engine.identity().rank());
            row.put("pool", engine.identity().pool());
            row.put("state", engine.state());
            row.put("nodeIp", engine.process().nodeIp());
            row.put("devices", engine.process().devices());
            row.put("running", load.running());
            row.put("queued", load.queued());
            row.put("tokensPerSecond", load.tokensPerSecond());
            row.put("kvUse", load.kvUse());
            row.put("weightVersion", engine.service().weightVersion());
            row.put("restarts", engine.supervision().restarts());
            engines.add(row);
        }
        Map<String, @Nullable Object> sample = new LinkedHashMap<>();
        sample.put("time", time.toString());
        sample.put("api_url", report.apiUrl());
        sample.put("verdict", report.verdict().name());
        sample.put("engines", engines);
        try {
            return new ObjectMapper().writeValueAsString(sample);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a sample is not JSON", e);
        }
    }
}
