/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import dev.sglangray.app.DeliberateEnd;
import dev.sglangray.app.Fleet;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.supervision.OnDegraded;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Looks after a fleet in the foreground: tells what is lost, what is being replaced and what is back, and ends the watch when
 * the fleet's policy says that it is lost. The workers heal themselves; here it is only reported.
 */
public final class FleetWatch {
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    /** For all workers together. */
    private static final Duration ANSWER = Duration.ofSeconds(20);

    private final ProgressDisplay progress;
    private final Fleet fleet;
    private final boolean heals;
    private final boolean failsWhenDegraded;
    private @Nullable ServerGroup watched;
    private final List<WorkerWatch> engines = new ArrayList<>();
    private final Optional<WorkerWatch> router;

    public FleetWatch(Fleet fleet, ProgressDisplay progress) {
        this.fleet = fleet;
        this.progress = progress;
        heals = fleet.supervision().heals();
        failsWhenDegraded = fleet.supervision().onDegraded() == OnDegraded.FAIL;
        Optional<RouterGroup> group = fleet.routerGroup();
        router = group.map(found -> new WorkerWatch("the router", found, heals));
    }

    /** The fleet may have other engines by now. */
    private void watchEngines() {
        ServerGroup now = fleet.serverGroup().orElse(null);
        if (now == null || now == watched) {
            return;
        }
        if (watched != null) {
            progress.line("the fleet has " + now.size() + " engine(s) now");
        }
        watched = now;
        engines.clear();
        for (int rank : now.ranks()) {
            engines.add(new WorkerWatch("engine " + rank, now.on(rank), heals));
        }
    }

    /**
     * Returns when this thread is interrupted.
     *
     * @throws FleetLostException when the router or the last engine is lost for good, or one engine where the policy says so
     */
    public void untilInterruptedOrLost() {
        Repeat.untilInterrupted(INTERVAL, () -> {
            look();
            return true;
        });
    }

    private void look() {
        watchEngines();
        router.ifPresent(WorkerWatch::ask);
        engines.forEach(WorkerWatch::ask);
        long end = System.nanoTime() + ANSWER.toNanos();
        router.ifPresent(watch -> {
            watch.look(end).ifPresent(progress::line);
            watch.lost().ifPresent(why -> {
                throw lost("the router is lost: " + why, fleet.routerGroup().map(group -> group.name() + ":0"));
            });
        });
        int lost = 0;
        for (WorkerWatch engine : engines) {
            engine.look(end).ifPresent(progress::line);
            if (engine.lost().isPresent()) {
                lost++;
            }
        }
        if (!engines.isEmpty() && lost == engines.size()) {
            throw lost(
                    "the last engine is lost",
                    fleet.serverGroup()
                            .map(group -> group.name() + ":" + group.ranks().get(0)));
        }
        if (lost > 0 && failsWhenDegraded) {
            throw new FleetLostException("an engine is lost, and on_degraded is fail");
        }
    }

    private static FleetLostException lost(String why, Optional<String> actor) {
        return new FleetLostException(
                actor.filter(DeliberateEnd::wasEnded).isPresent() ? "the fleet " + DeliberateEnd.WORDS : why);
    }
}
