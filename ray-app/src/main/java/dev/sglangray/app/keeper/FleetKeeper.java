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
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The Ray actor that owns a detached fleet. It launches the fleet itself, because in Ray a placement group and actors
 * end with what created them; as a detached actor it ends with nobody. Questions and {@link #close()} are answered while
 * {@link #launch()} is under way.
 */
public class FleetKeeper {
    private final ObjectMapper json = new ObjectMapper();
    private final KeeperRequest request;
    private final EventLog events = new EventLog();
    private @Nullable Thread launching;
    private @Nullable Fleet fleet;
    private boolean closed;

    /**
     * Called by Ray.
     *
     * @param requestJson a {@link KeeperRequest} as JSON
     */
    public FleetKeeper(String requestJson) throws JsonProcessingException {
        request = json.readValue(requestJson, KeeperRequest.class);
    }

    /**
     * Launches the fleet and returns its URL.
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
        }
    }

    /** What happened from the event of this index on, a JSON list. */
    public String events(int from) throws JsonProcessingException {
        return json.writeValueAsString(events.from(from));
    }

    /** Ends the fleet; a launch that is under way is rolled back. True when there was one. Harmless when repeated. */
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
            return false;
        }
        running.close();
        return true;
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
    }

    private synchronized void end() {
        launching = null;
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
