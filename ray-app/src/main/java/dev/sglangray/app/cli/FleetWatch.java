/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.Fleet;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.WorkerInterruptedException;
import dev.sglangray.workers.WorkerStatus;
import dev.sglangray.workers.WorkerTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Looks after a fleet in the foreground: tells when a worker is lost, takes a dead engine out of the router, and ends
 * the watch when nothing is left to serve.
 */
final class FleetWatch {
    private static final Duration INTERVAL = Duration.ofSeconds(2);
    private static final Duration ANSWER = Duration.ofSeconds(20);
    private static final String READY = "READY";

    private final Fleet fleet;
    private final ProgressDisplay progress;
    private final Map<Integer, String> urls = new LinkedHashMap<>();

    FleetWatch(Fleet fleet, ProgressDisplay progress) {
        this.fleet = fleet;
        this.progress = progress;
        fleet.serverGroup().ifPresent(servers -> {
            List<String> all = servers.getServerUrl().await(ANSWER);
            for (int i = 0; i < all.size(); i++) {
                urls.put(servers.ranks().get(i), all.get(i));
            }
        });
    }

    /**
     * Returns when this thread is interrupted.
     *
     * @throws FleetLostException when the router or the last engine is lost
     */
    void untilInterruptedOrLost() {
        CountDownLatch never = new CountDownLatch(1);
        try {
            while (!never.await(INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
                fleet.routerGroup().ifPresent(this::checkRouter);
                fleet.serverGroup().ifPresent(this::checkEngines);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (WorkerInterruptedException e) {
            progress.note(LaunchPhase.START, "interrupted");
        }
    }

    private void checkRouter(RouterGroup router) {
        String lost = lost(() -> router.status().await(ANSWER).get(0));
        if (!lost.isEmpty()) {
            throw new FleetLostException("the router is lost: " + lost);
        }
    }

    private void checkEngines(ServerGroup servers) {
        for (int rank : new ArrayList<>(urls.keySet())) {
            String lost = lost(() -> servers.on(rank).status().await(ANSWER).get(0));
            if (!lost.isEmpty()) {
                progress.line("engine " + rank + " is lost: " + lost);
                fleet.routerGroup().ifPresent(router -> unregister(router, urls.getOrDefault(rank, "")));
                urls.remove(rank);
            }
        }
        if (urls.isEmpty()) {
            throw new FleetLostException("the last engine is lost");
        }
    }

    private void unregister(RouterGroup router, String url) {
        try {
            router.unregisterServer(url).await(ANSWER);
            progress.line("the router no longer sends requests to " + url);
        } catch (WorkerException e) {
            progress.line("the router may still send requests to " + url + ": " + e.getMessage());
        }
    }

    private static String lost(Supplier<WorkerStatus> question) {
        try {
            WorkerStatus status = question.get();
            if (status.state().equals(READY)) {
                return "";
            }
            return status.failure() == null ? "it is " + status.state() : status.failure();
        } catch (WorkerTimeoutException e) {
            // Slow is not lost: the node may be busy.
            return "";
        } catch (WorkerException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
