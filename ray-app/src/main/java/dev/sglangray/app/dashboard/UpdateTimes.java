/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import dev.sglangray.app.monitor.Episode;
import dev.sglangray.app.monitor.Episode.UpdatePhase;
import dev.sglangray.app.monitor.FleetLook.Engine;
import dev.sglangray.workers.engine.EngineController;
import dev.sglangray.workers.protocol.Weights;
import dev.sglangray.workers.supervision.EventKind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
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
        /** What its new events tell; their texts come with the look. */
        private final List<Episode> told = new ArrayList<>();

        private @Nullable Episode withdraw;
        private @Nullable Update loaded;
    }

    /** One version. */
    private static final class Update {
        private final String id;
        private final String version;
        private final Set<Integer> ranks = new TreeSet<>();
        private final Map<UpdatePhase, Duration> slowest = new EnumMap<>(UpdatePhase.class);
        private String time = "";

        Update(String id, String version) {
            this.id = id;
            this.version = version;
        }

        void took(UpdatePhase phase, Duration took) {
            slowest.merge(phase, took, (one, other) -> one.compareTo(other) > 0 ? one : other);
        }
    }

    UpdateTimes(Board board) {
        this.board = board;
    }

    /** What the events of the next look tell. */
    void happened(Episode episode) {
        if (episode.what() instanceof Episode.Update) {
            at(episode.worker()).told.add(episode);
        }
    }

    private At at(String worker) {
        return engines.computeIfAbsent(worker, name -> new At());
    }

    /** Takes an engine of a look in, after what its events tell. */
    void take(Engine engine) {
        At at = at(engine.worker().name());
        for (Episode episode : at.told) {
            if (episode.what() instanceof Episode.Update update) {
                switch (update.phase()) {
                    case WITHDRAW -> at.withdraw = episode;
                    case LOAD -> loaded(engine, at, episode);
                    case RETURN -> returned(at, episode);
                }
            }
        }
        at.told.clear();
    }

    private void loaded(Engine engine, At at, Episode episode) {
        Update update = version(engine, episode.end())
                .map(version -> updates.computeIfAbsent(version, name -> new Update(String.valueOf(number++), name)))
                .orElse(null);
        at.loaded = update;
        if (update != null) {
            update.ranks.add(engine.plan().rank());
            update.time = episode.end().toString();
            Episode withdraw = at.withdraw;
            update.took(UpdatePhase.WITHDRAW, withdraw == null ? Duration.ZERO : withdraw.took());
            update.took(UpdatePhase.LOAD, episode.took());
            show(update);
        }
        at.withdraw = null;
    }

    private void returned(At at, Episode episode) {
        Update update = at.loaded;
        at.loaded = null;
        if (update != null) {
            update.took(UpdatePhase.RETURN, episode.took());
            show(update);
        }
    }

    /** The version that the engine had from then on; empty where it could not load. */
    private static Optional<String> version(Engine engine, Instant time) {
        return engine.worker().events().stream()
                .filter(event -> event.kind() == EventKind.WEIGHTS
                        && event.text().startsWith(EngineController.HAS_WEIGHTS)
                        && Instant.parse(event.time()).equals(time))
                .findFirst()
                .flatMap(event -> Weights.versionIn(event.text()));
    }

    private void show(Update update) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("version", update.version);
        row.put("time", update.time);
        row.put("ranks", update.ranks);
        update.slowest.forEach(
                (phase, took) -> row.put(phase.name().toLowerCase(Locale.ROOT) + "_s", FleetBoard.seconds(took)));
        board.put("updates", update.id, row);
        if (updates.size() > MOST) {
            Update oldest = updates.values().iterator().next();
            updates.remove(oldest.version);
            board.drop("updates", oldest.id);
        }
    }
}
