/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import dev.sglangray.app.monitor.FakeFleet;
import dev.sglangray.app.monitor.FakeFleet.FakeWorker;
import dev.sglangray.app.monitor.FleetMonitor;
import dev.sglangray.app.monitor.TrainerStep;
import dev.sglangray.workers.protocol.EngineLoad;
import dev.sglangray.workers.supervision.EventKind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Fake fleets that look like real ones, for pictures and for checks of what is drawn. */
final class PictureFleet {
    private PictureFleet() {}

    /** An engine dies in this one. */
    static FakeFleet small() {
        return healthy(8, 4);
    }

    static FakeFleet healthy(int engines, int perNode) {
        FakeFleet fleet = new FakeFleet(engines, perNode);
        fleet.now = Instant.now().minusSeconds(900);
        for (int rank = 0; rank < engines; rank++) {
            FakeWorker engine = fleet.engine(rank);
            engine.devices = List.of(String.valueOf(rank % perNode));
            engine.version = "step-40";
            fleet.happens(engine, EventKind.STARTED, "serves after " + (41 + rank) + " s");
            fleet.passes(1);
            fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
            load(fleet, rank, 0);
        }
        for (int step = 10; step <= 40; step += 10) {
            fleet.passes(120);
            for (int rank = 0; rank < engines; rank++) {
                FakeWorker engine = fleet.engine(rank);
                Instant begin = fleet.now;
                fleet.happens(engine, EventKind.HELD, "weights are replaced by version step-" + step);
                fleet.now = begin.plusMillis(400 + 7L * rank);
                fleet.happens(engine, EventKind.WITHDRAWN, "no requests are sent to it");
                fleet.now = begin.plusMillis(2100 + 31L * rank + step);
                fleet.happens(
                        engine,
                        EventKind.WEIGHTS,
                        "the engine has weights of version step-" + step + " from /checkpoints/step-" + step);
                fleet.now = begin.plusMillis(2500 + 35L * rank + step);
                fleet.happens(engine, EventKind.PUBLISHED, "requests are sent to it");
                fleet.now = begin;
            }
            fleet.passes(4);
        }
        return fleet;
    }

    /** The load of an engine at a moment. */
    static void load(FakeFleet fleet, int rank, int moment) {
        if (!fleet.engine(rank).state.equals("READY")) {
            fleet.load(rank, EngineLoad.UNKNOWN);
            return;
        }
        double wave = 0.5 + 0.3 * Math.sin(rank * 0.9 + moment * 0.35);
        fleet.load(
                rank,
                new EngineLoad(
                        (int) (14 + 20 * wave),
                        rank % 4 == 1 ? (int) (6 * wave) : 0,
                        1400 + 900 * wave,
                        0.2 + 0.6 * wave));
    }

    /** Something of everything that can be wrong. */
    static FakeFleet faults() {
        FakeFleet fleet = healthy(8, 4);
        FakeWorker killed = fleet.engine(2);
        killed.state = "RESTARTING";
        killed.restarts = 1;
        fleet.listed.remove(2);
        fleet.passes(60);
        fleet.happens(killed, EventKind.EXITED, "it ended by signal 9; it has 2 of 3 restarts left");
        fleet.happens(killed, EventKind.WITHDRAWN, "no requests are sent to it");
        fleet.passes(1);
        fleet.happens(killed, EventKind.RESTARTING, "a new process is started");
        FakeWorker lost = fleet.engine(5);
        lost.state = "FAILED";
        lost.restarts = 3;
        lost.failure = "it was given up after 3 restarts in 600 s: torch.OutOfMemoryError: CUDA out of memory";
        fleet.listed.remove(5);
        fleet.passes(8);
        fleet.happens(lost, EventKind.LOST, "it was given up after 3 restarts in 600 s");
        fleet.listed.remove(6);
        fleet.engine(7).state = "DRAINED";
        fleet.engine(7).conditions = List.of("memory released: kv_cache, weights");
        fleet.happens(fleet.engine(7), EventKind.DRAINED, "no new requests");
        return fleet;
    }

    /** What a trainer and a launch say. */
    static void reports(FleetMonitor monitor) {
        begin(monitor, "reserve", "reserving 9 bundle(s) in placement group 'sglang-ray/rollout'", 420);
        begin(monitor, "start", "starting 8 engine(s) and the router", 48230);
        begin(monitor, "register", "registering 8 engine(s) with the router", 310);
        for (int step = 1; step <= 42; step++) {
            double noise = Math.sin(step * 12.9898) * 0.04;
            monitor.reported(new TrainerStep(
                    step,
                    Map.of(
                            "reward", 0.72 - 0.5 * Math.exp(-step / 14.0) + noise,
                            "response_length", 310 + 6.5 * step + 300 * noise,
                            "kl", 0.002 * step + Math.abs(noise) / 4)));
        }
    }

    private static void begin(FleetMonitor monitor, String phase, String what, long millis) {
        monitor.phaseBegan(phase, what);
        monitor.phase(phase, Duration.ofMillis(millis));
    }
}
