/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.app.monitor.UpdatePhases;
import dev.sglangray.app.monitor.UpdatePhases.Phase;
import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.supervision.Event;
import dev.sglangray.workers.supervision.EventKind;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The updates of a fleet's weights: of each version which engines have it, and how long the slowest took. Not thread-safe. */
final class UpdateTimes {
    private static final int MOST = 50;

    private final Board board;
    private final Map<String, At> engines = new HashMap<>();
    private final Map<String, Update> updates = new LinkedHashMap<>();
    private int number;

    /** Where an engine is in an update. */
    private static final class At {
        private final UpdatePhases phases = new UpdatePhases();
        private Duration withdraw = Duration.ZERO;
        private @Nullable Update loaded;
    }

    /** One version. */
    private static final class Update {
        private final String id;
        private final String version;
        private final Set<Integer> ranks = new TreeSet<>();
        private final Map<Phase, Duration> slowest = new EnumMap<>(Phase.class);
        private String time = "";

        Update(String id, String version) {
            this.id = id;
            this.version = version;
        }

        void took(Phase phase, Duration took) {
            slowest.merge(phase, took, (one, other) -> one.compareTo(other) > 0 ? one : other);
        }
    }

    UpdateTimes(Board board) {
        this.board = board;
    }

    /** Takes an engine's events in. */
    void take(Engine engine) {
        At at = engines.computeIfAbsent(engine.worker().name(), name -> new At());
        for (Event event : engine.worker().events()) {
            if (event.kind() == EventKind.HELD) {
                at.withdraw = Duration.ZERO;
            }
            at.phases.take(event.kind(), Instant.parse(event.time()), (phase, took) -> {
                switch (phase) {
                    case WITHDRAW -> at.withdraw = took;
                    case LOAD -> loaded(engine, at, event, took);
                    case RETURN -> {
                        Update update = at.loaded;
                        if (update != null) {
                            update.took(Phase.RETURN, took);
                            show(update);
                        }
                        at.loaded = null;
                    }
                }
            });
        }
    }

    private void loaded(Engine engine, At at, Event event, Duration took) {
        at.loaded = Optional.of(event.text())
                .filter(text -> text.startsWith(EngineController.HAS_WEIGHTS))
                .flatMap(Weights::versionIn)
                .map(version -> updates.computeIfAbsent(version, name -> new Update(String.valueOf(number++), name)))
                .orElse(null);
        Update update = at.loaded;
        if (update != null) {
            update.ranks.add(engine.plan().rank());
            update.time = event.time();
            update.took(Phase.WITHDRAW, at.withdraw);
            update.took(Phase.LOAD, took);
            show(update);
        }
    }

    private void show(Update update) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("version", update.version);
        row.put("time", update.time);
        row.put("ranks", update.ranks);
        update.slowest.forEach((phase, took) -> row.put(phase.label() + "_s", FleetBoard.seconds(took)));
        board.put("updates", update.id, row);
        if (updates.size() > MOST) {
            Update oldest = updates.values().iterator().next();
            updates.remove(oldest.version);
            board.drop("updates", oldest.id);
        }
    }
}
