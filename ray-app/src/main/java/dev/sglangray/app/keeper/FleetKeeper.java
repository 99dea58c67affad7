/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.keeper;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.Fleet;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.workers.GroupOptions;
import dev.sglangray.workers.WorkerException;
import io.ray.api.Ray;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Ray actor that owns a detached fleet. It launches the fleet itself, because in Ray a placement group and actors
 * end with what created them; as a detached actor it ends with nobody. Questions and {@link #close()} are answered while
 * {@link #launch()} is under way.
 */
public class FleetKeeper {
    /** Whoever launches asks for events several times a second; after this much silence it is gone. */
    private static final Duration FORGOTTEN = Duration.ofSeconds(30);

    private static final Duration ROLLBACK = Duration.ofSeconds(45);
    private static final Duration LOOK = Duration.ofSeconds(1);

    private static final Logger LOG = LoggerFactory.getLogger(FleetKeeper.class);

    private final ObjectMapper json = new ObjectMapper();
    private final KeeperRequest request;
    private final EventLog events = new EventLog();
    private volatile @Nullable Thread launching;
    private @Nullable Fleet fleet;
    private boolean closed;
    private final CountDownLatch launchEnded = new CountDownLatch(1);
    private volatile long asked = System.nanoTime();
    private volatile boolean forgotten;

    /**
     * Called by Ray.
     *
     * @param requestJson a {@link KeeperRequest} as JSON
     */
    public FleetKeeper(String requestJson) throws JsonProcessingException {
        request = json.readValue(requestJson, KeeperRequest.class);
    }

    /**
     * Launches the fleet and returns its URL. Takes everything back, and ends this actor, when nobody asks for
     * {@link #events} any more while it does so: the command that launches was killed.
     *
     * @throws KeeperFailure with the words of what failed
     */
    public String launch() {
        begin();
        try {
            Fleet launched = launched();
            keep(launched);
            return launched.apiUrl();
        } catch (ConfigException e) {
            throw new KeeperFailure(e.render());
        } catch (PlacementException | WorkerException e) {
            throw new KeeperFailure(String.valueOf(e.getMessage()));
        } finally {
            end();
            if (forgotten) {
                Ray.exitActor();
            }
        }
    }

    /** What happened from the event of this index on, a JSON list. */
    public String events(int from) throws JsonProcessingException {
        asked = System.nanoTime();
        return json.writeValueAsString(events.from(from));
    }

    /**
     * Ends the fleet; a launch that is under way is rolled back first, which is waited for. True when there was a fleet.
     * Harmless when repeated.
     */
    public boolean close() {
        Fleet running;
        synchronized (this) {
            closed = true;
            running = fleet;
            fleet = null;
            if (launching != null) {
                launching.interrupt();
            }
        }
        if (running == null) {
            awaitRollback();
            return false;
        }
        running.close();
        return true;
    }

    private void awaitRollback() {
        if (launching == null) {
            return;
        }
        try {
            if (!launchEnded.await(ROLLBACK.toSeconds(), TimeUnit.SECONDS)) {
                LOG.warn("the launch is not rolled back after {} s", ROLLBACK.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void endWhenForgotten() {
        try {
            while (!launchEnded.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
                if (System.nanoTime() - asked > FORGOTTEN.toNanos()) {
                    forgotten = true;
                    LOG.warn(
                            "nobody has asked for {} s how the launch goes on; it is taken back",
                            FORGOTTEN.toSeconds());
                    close();
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Fleet launched() {
        FleetSpec spec = FleetSpec.of(
                Config.of(request.configuration()),
                request.component(),
                request.argsKey(),
                request.explicitPlacement());
        GroupOptions groups = GroupOptions.defaults()
                .withJavaJars(request.javaJars())
                .withServerHealthTimeout(Duration.ofSeconds(request.healthSeconds()));
        LaunchOptions.Builder options = LaunchOptions.builder()
                .routerNodeRank(request.routerNodeRank())
                .reserveDeadline(Duration.ofSeconds(request.reserveSeconds()))
                .groupOptions(groups)
                .listener(events);
        if (request.pythonInterpreter() != null) {
            options.pythonInterpreter(request.pythonInterpreter());
        }
        return spec.launch(spec.cluster(RayClusterReader.read()), options);
    }

    private synchronized void begin() {
        if (fleet != null || launching != null) {
            throw new KeeperFailure("this keeper has launched its fleet already");
        }
        launching = Thread.currentThread();
        asked = System.nanoTime();
        Thread watch = new Thread(this::endWhenForgotten, "sglang-ray-keeper");
        watch.setDaemon(true);
        watch.start();
    }

    private synchronized void end() {
        launching = null;
        launchEnded.countDown();
    }

    private void keep(Fleet launched) {
        boolean tooLate;
        synchronized (this) {
            tooLate = closed;
            if (!tooLate) {
                fleet = launched;
            }
        }
        if (tooLate) {
            launched.close();
            throw new KeeperFailure("the fleet was taken down while it was launched");
        }
    }
}
