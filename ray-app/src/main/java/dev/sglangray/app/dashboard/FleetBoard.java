/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sglangray.app.monitor.Episode;
import dev.sglangray.app.monitor.FleetCondition;
import dev.sglangray.app.monitor.FleetLook;
import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.app.monitor.FleetLook.Worker;
import dev.sglangray.app.monitor.TrainerStep;
import dev.sglangray.config.TreeView;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.protocol.WorkerStatus;
import dev.sglangray.workers.registry.RegistryView;
import dev.sglangray.workers.supervision.Event;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Puts what is seen of a fleet on a board, with the names of {@code status --json} and {@code top --json}. The parts: {@code look},
 * {@code fleet}, {@code router}, {@code engines} and {@code load} by rank, {@code events}, {@code launch}, {@code updates},
 * {@code steps} and {@code configuration}. Safe for use by several threads: all of its state is touched in updates of the board.
 */
final class FleetBoard {
    static final int MOST_EVENTS = 400;
    static final int MOST_STEPS = 1000;
    private static final int MOST_PHASES = 50;
    private static final String ONE = "";
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Comparator<Event> BY_TIME =
            Comparator.comparing((Event event) -> Instant.parse(event.time())).thenComparing(Event::number);

    private final Board board;
    private final Dashboard.Facts facts;
    private final UpdateTimes updates;
    private final Set<Integer> ranks = new HashSet<>();
    private final Deque<Integer> events = new ArrayDeque<>();
    private final Map<Integer, Map<String, @Nullable Object>> phases = new LinkedHashMap<>();
    private final TreeMap<Long, Map<String, Double>> steps = new TreeMap<>();
    private FleetLook last = FleetLook.NOTHING;
    private boolean launching = true;
    private int number;

    /** Of a fleet that was not looked at yet. */
    FleetBoard(Board board, Dashboard.Facts facts) {
        this.board = board;
        this.facts = facts;
        updates = new UpdateTimes(board);
        board.update(() -> {
            show();
            for (int i = 0; i < facts.configuration().size(); i++) {
                board.put(
                        "configuration",
                        String.valueOf(i),
                        row(facts.configuration().get(i)));
            }
        });
    }

    /** Takes a look in. */
    void take(FleetLook look, Instant at) {
        board.update(() -> {
            last = look;
            show();
            Worker router = look.router();
            Set<Integer> now = new HashSet<>();
            for (Engine engine : look.engines()) {
                now.add(engine.plan().rank());
                updates.take(engine);
            }
            ranks.removeAll(now);
            for (int gone : ranks) {
                board.remove("engines", String.valueOf(gone));
                board.remove("load", String.valueOf(gone));
            }
            ranks.clear();
            ranks.addAll(now);
            Stream.concat(Stream.ofNullable(router), look.engines().stream().map(Engine::worker))
                    .flatMap(worker -> worker.events().stream())
                    .sorted(BY_TIME)
                    .forEach(this::show);
            board.put("look", ONE, Map.of("time", at.toString()));
        });
    }

    /** What the events of the next look tell of a worker. */
    void happened(Episode episode) {
        board.update(() -> updates.happened(episode));
    }

    /** A look failed. */
    void missed(String problem, Instant at) {
        board.update(() -> board.put("look", ONE, Map.of("time", at.toString(), "problem", problem)));
    }

    /** All engines serve. */
    void launched() {
        board.update(() -> {
            launching = false;
            show();
        });
    }

    /** A phase begins. */
    void begins(String phase, String what, Instant at) {
        board.update(() -> {
            Map<String, @Nullable Object> row = new LinkedHashMap<>();
            row.put("phase", phase);
            row.put("what", what);
            row.put("time", at.toString());
            row.put("seconds", null);
            phases.put(number, row);
            board.put("launch", String.valueOf(number++), row);
            if (phases.size() > MOST_PHASES) {
                int oldest = phases.keySet().iterator().next();
                phases.remove(oldest);
                board.drop("launch", String.valueOf(oldest));
            }
        });
    }

    /** A phase is over: the last one of its name that began. */
    void ended(String phase, Duration took) {
        board.update(() -> phases.entrySet().stream()
                .filter(row -> phase.equals(row.getValue().get("phase"))
                        && row.getValue().get("seconds") == null)
                .reduce((first, second) -> second)
                .ifPresent(row -> {
                    row.getValue().put("seconds", seconds(took));
                    board.put("launch", String.valueOf(row.getKey()), row.getValue());
                }));
    }

    /** A trainer reports a step; a further report of the same step adds to it. */
    void reported(TrainerStep step) {
        board.update(() -> {
            Map<String, Double> values = steps.computeIfAbsent(step.step(), key -> new TreeMap<>());
            values.putAll(step.values());
            board.put("steps", String.valueOf(step.step()), values);
            if (steps.size() > MOST_STEPS) {
                board.drop("steps", String.valueOf(steps.firstKey()));
                steps.remove(steps.firstKey());
            }
        });
    }

    static double seconds(Duration took) {
        return took.toMillis() / 1000.0;
    }

    private void show() {
        FleetCondition condition = last.condition();
        showFleet(condition);
        boolean router = last.router() != null;
        if (router) {
            board.put("router", ONE, router(condition.workers().get(0)));
        }
        for (int i = 0; i < last.engines().size(); i++) {
            showEngine(last.engines().get(i), condition.workers().get(router ? i + 1 : i));
        }
    }

    private void showFleet(FleetCondition condition) {
        RegistryView registry = last.registry();
        Map<String, @Nullable Object> fleet = new LinkedHashMap<>();
        fleet.put("name", facts.name());
        fleet.put("namespace", facts.namespace());
        fleet.put("api_url", condition.workers().isEmpty() ? null : condition.apiUrl());
        fleet.put("metrics_url", facts.metricsUrl());
        fleet.put("verdict", launching ? "LAUNCHING" : condition.verdict().name());
        fleet.put(
                "words",
                launching ? "launching: the fleet starts" : condition.verdict().words());
        fleet.put("faults", launching ? List.of() : condition.faults());
        fleet.put("others", condition.strangers());
        fleet.put("wanted", last.size());
        fleet.put("serving", last.engines().stream().filter(last::serves).count());
        fleet.put("weightVersion", registry == null ? null : registry.weightVersion());
        fleet.put("change", registry == null ? null : registry.change());
        fleet.put("running", sum(EngineLoad::running));
        fleet.put("queued", sum(EngineLoad::queued));
        fleet.put("tokensPerSecond", sum(EngineLoad::tokensPerSecond));
        board.put("fleet", ONE, fleet);
    }

    /** Null when no engine tells. */
    private @Nullable Double sum(Function<EngineLoad, @Nullable Number> part) {
        List<Double> told = new ArrayList<>();
        for (Engine engine : last.engines()) {
            EngineLoad load = engine.load();
            Number value = load == null ? null : part.apply(load);
            if (value != null) {
                told.add(value.doubleValue());
            }
        }
        return told.isEmpty()
                ? null
                : told.stream().mapToDouble(Double::doubleValue).sum();
    }

    private ObjectNode router(WorkerStatus status) {
        ObjectNode row = JSON.valueToTree(status);
        RegistryView registry = last.registry();
        if (registry != null) {
            row.put(
                    "registered",
                    registry.members().stream()
                            .filter(RegistryView.MemberView::listed)
                            .count());
        }
        return row;
    }

    private void showEngine(Engine engine, WorkerStatus status) {
        int rank = engine.plan().rank();
        ObjectNode row = JSON.valueToTree(status);
        if (engine.worker().status() == null) {
            row.put("pool", engine.plan().pool());
            if (launching) {
                row.put("state", "STARTING").putNull("failure");
            }
        }
        row.put("accelerators", engine.plan().accelerators());
        row.put("serves", last.serves(engine));
        board.put("engines", String.valueOf(rank), row);
        board.put("load", String.valueOf(rank), load(Objects.requireNonNullElse(engine.load(), EngineLoad.UNKNOWN)));
    }

    private static Map<String, @Nullable Object> load(EngineLoad load) {
        Map<String, @Nullable Object> row = new LinkedHashMap<>();
        row.put("running", load.running());
        row.put("queued", load.queued());
        row.put("tokensPerSecond", load.tokensPerSecond());
        row.put("kvUse", load.kvUse());
        return row;
    }

    private void show(Event event) {
        events.addLast(number);
        board.put("events", String.valueOf(number++), event);
        if (events.size() > MOST_EVENTS) {
            board.drop("events", String.valueOf(events.removeFirst()));
        }
    }

    private static Map<String, @Nullable Object> row(TreeView.Row row) {
        Map<String, @Nullable Object> shown = new LinkedHashMap<>();
        shown.put("path", row.path());
        shown.put("depth", row.depth());
        shown.put("name", row.name());
        shown.put("kind", row.kind().name());
        Object value = row.value();
        shown.put(
                "value",
                switch (row.kind()) {
                    case VALUE -> value instanceof byte[] bytes ? bytes.length + " bytes" : String.valueOf(value);
                    case MISSING -> "???";
                    case BROKEN -> row.interpolation().isEmpty() ? TreeView.HIDDEN : row.interpolation();
                    case MAP -> row.size() == 0 ? "{}" : null;
                    case LIST -> row.size() == 0 ? "[]" : null;
                });
        shown.put("origin", row.position().toString());
        shown.put("interpolation", row.interpolation().isEmpty() ? null : row.interpolation());
        shown.put("trail", row.trail());
        return shown;
    }
}
