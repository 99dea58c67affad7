/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.app.it.FaultCell.Seen;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs cells of the fault matrix on one fleet, one after the other, and adds a row for each to
 * {@code ray-app/target/fault-matrix-RAY.md}. A cell fails when the fleet does not serve again in time with both engines, when
 * more requests failed than the cell allows, or when more processes are there afterwards than before.
 */
final class FaultMatrix {
    private static final Logger LOG = LoggerFactory.getLogger(FaultMatrix.class);

    /** Time in which a fault that should stay unseen might yet show. */
    private static final double QUIET_SECONDS = 5;

    private final FaultScene scene;
    private final Path table;

    FaultMatrix(FaultScene scene) {
        this.scene = scene;
        this.table = PythonEnvironment.repository()
                .resolve("ray-app/target/fault-matrix-" + scene.cluster.spec().rayVersion() + ".md");
    }

    /** What came of one cell; times in seconds from the fault, NaN where there is nothing to tell. */
    record Row(
            String name, double detected, double served, int requests, Map<String, Integer> failures, double slowest) {

        String markdown() {
            return String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %s of %d | %.1f s |",
                    name,
                    seconds(detected),
                    seconds(served),
                    failures.isEmpty() ? "0" : failures.toString(),
                    requests,
                    slowest);
        }

        private static String seconds(double value) {
            return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.1f s", value);
        }
    }

    /** Runs all cells, also after one that failed, and fails then with all that was wrong. */
    List<Row> run(List<FaultCell> cells) {
        List<Row> rows = new ArrayList<>();
        List<Throwable> wrong = new ArrayList<>();
        for (FaultCell cell : cells) {
            try {
                rows.add(run(cell));
            } catch (AssertionError | RuntimeException e) {
                LOG.warn("{}: {}", cell.name(), e.toString());
                wrong.add(new AssertionError(cell.name() + ": " + e.getMessage(), e));
                if (!scene.up.isAlive()) {
                    break;
                }
            }
        }
        assertThat(wrong).isEmpty();
        return rows;
    }

    private Row run(FaultCell cell) {
        Map<String, Integer> before = scene.shape();
        double start = SteadyLoad.now();
        scene.await("both engines before the fault", () -> scene.serves(start));
        cell.first().accept(scene);
        double fault = SteadyLoad.now();
        cell.inflict().accept(scene);
        double detected = awaitDetected(cell, fault);
        cell.relief().accept(scene);
        double served = awaitServed(cell, fault, Double.isNaN(detected) ? fault : detected);
        double healed = SteadyLoad.now();
        scene.await("both engines after the fault", cell.within(), () -> scene.serves(healed));
        scene.await("the end of every request that saw the fault", () -> {
            scene.load.refresh();
            return scene.load.last().oldest() > healed;
        });
        scene.awaitShape(before);
        List<SteadyLoad.Sent> requests = scene.load.between(start, healed);
        Row row = new Row(
                cell.name(),
                detected - fault,
                served - fault,
                requests.size(),
                SteadyLoad.failures(requests),
                requests.stream().mapToDouble(r -> r.end() - r.start()).max().orElse(0));
        LOG.warn(row.markdown());
        append(row);
        int failed =
                row.failures().values().stream().mapToInt(Integer::intValue).sum();
        assertThat(failed).as("failed requests %s", row.failures()).isLessThanOrEqualTo(cell.losses());
        return row;
    }

    private double awaitDetected(FaultCell cell, double fault) {
        if (cell.seen() == Seen.NOTHING) {
            scene.await("a quiet while", () -> {
                scene.load.refresh();
                return SteadyLoad.now() > fault + QUIET_SECONDS;
            });
            return Double.NaN;
        }
        return awaitTime(
                cell,
                "the fault to show",
                () -> cell.seen() == Seen.ENGINE_LEAVES
                        ? scene.load.firstLook(
                                fault,
                                look -> look.answered() && !look.healthy().contains(scene.engineUrl()))
                        : scene.load.firstSent(fault, request -> !request.ok()));
    }

    private double awaitServed(FaultCell cell, double fault, double detected) {
        return switch (cell.seen()) {
            case NOTHING -> Double.NaN;
            case ENGINE_LEAVES ->
                awaitTime(
                        cell,
                        "the engine in the router's list",
                        () -> scene.load.firstLook(
                                detected, look -> look.healthy().contains(scene.engineUrl())));
            case ROUTER_FAILS ->
                awaitTime(
                        cell, "an answer", () -> scene.load.firstSent(Math.max(fault, detected), SteadyLoad.Sent::ok));
        };
    }

    private double awaitTime(FaultCell cell, String what, java.util.function.DoubleSupplier time) {
        Duration longest = cell.within();
        double[] found = {Double.NaN};
        scene.await(what, longest, () -> {
            scene.load.refresh();
            found[0] = time.getAsDouble();
            return !Double.isNaN(found[0]);
        });
        return found[0];
    }

    private void append(Row row) {
        try {
            if (!Files.exists(table)) {
                Files.writeString(table, """
                        | fault | out of service after | serving again after | failed requests | slowest |
                        | --- | --- | --- | --- | --- |
                        """);
            }
            Files.writeString(table, row.markdown() + "\n", StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
