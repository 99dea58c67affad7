/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import dev.sglangray.app.Fleet;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.FleetState;
import dev.sglangray.app.LaunchContext;
import dev.sglangray.app.LaunchException;
import dev.sglangray.app.SGLangLauncher;
import dev.sglangray.app.gateway.GatewayFacts;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.thread.Threads;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.loop.RecordStore;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.node.HandoverFile;
import dev.sglangray.workers.node.SealedSpec;
import dev.sglangray.workers.protocol.ProtocolJson;
import io.ray.api.Ray;
import io.ray.api.exception.RayException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Ray actor that owns a detached fleet. As a detached actor it ends with no driver. When its process dies, Ray starts another
 * one on the same node. The fleet's workers and placement groups are detached too, so they go on, and the successor takes them
 * over; a launch that was under way is taken back. Questions and {@link #close()} are answered meanwhile.
 */
public class FleetOwnerActor {
    /** The command that launches asks for events several times a second; after this much silence it is gone. */
    private static final Duration FORGOTTEN = Duration.ofSeconds(30);

    private static final String TAKEN_DOWN = "the fleet was taken down while it was launched";
    private static final Duration ROLLBACK = Duration.ofSeconds(45);
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration AGAIN = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(FleetOwnerActor.class);

    private final SealedSpec<LaunchRequest> request;
    private final RecordStore<FleetState> record;
    private final LaunchContext context;
    private final boolean successor;
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
     * @param name the actor's
     * @param requestJson a {@link LaunchRequest} as JSON, its secrets sealed, and with them whatever holds the text of one
     */
    public FleetOwnerActor(String name, String requestJson) {
        HandoverFile file = HandoverFile.ofActor(name, new ThreadLoop(name, InstantSource.system()));
        record = file.section("fleet", FleetState.class);
        context = new LaunchContext(events, record, new DetachedGroups());
        request = new SealedSpec<>(requestJson, json -> ProtocolJson.read(json, LaunchRequest.class), file);
        successor = Ray.getRuntimeContext().wasCurrentActorRestarted();
        if (successor) {
            Thread thread = Threads.thread("sglang-ray-take-over", this::takeOver);
            launching = thread;
            thread.start();
        }
    }

    /** Takes the key to the secrets of the request; the first call of the actor's creator. */
    public boolean unseal(String keyJson) {
        return request.unseal(keyJson);
    }

    private FleetSpec spec() {
        return request.get().spec();
    }

    /** Takes over the predecessor's fleet, or ends what a launch that it did not finish has left. */
    private void takeOver() {
        try {
            Optional<FleetState> state = record.load();
            if (state.isPresent()) {
                awaitTakenOver(state.get());
            } else {
                LOG.warn("the owner died while it launched its fleet; what it had started is ended");
                endFleet();
            }
        } catch (PlacementException e) {
            LOG.error("the fleet has lost its placement group, and with it its workers; what is left is ended", e);
            endFleet();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error e) {
            LOG.error("the fleet cannot be taken over; it serves without an owner, and `sglang-ray down` ends it", e);
        } finally {
            end();
        }
    }

    private void endFleet() {
        FleetLeftovers.endOfThisJob(spec().serverGroup(), spec().routerGroup());
        record.delete();
        FleetLeftovers.kill(DetachedFleets.ownerName(spec().groupName()));
    }

    /** Tries until it is done: Ray may know nothing for a moment, and the fleet serves meanwhile. */
    private void awaitTakenOver(FleetState state) throws InterruptedException {
        CountDownLatch never = new CountDownLatch(1);
        while (true) {
            try {
                List<Integer> living = spec().serverGroup()
                        .map(group -> FleetLeftovers.endUnknown(group, state))
                        .orElse(List.of());
                awaitNoGateway();
                keep(SGLangLauncher.adopt(spec(), state, living, request.get().options(), context));
                LOG.info("took over a fleet with engines {}", living);
                return;
            } catch (RayException | LaunchException | IllegalStateException e) {
                LOG.warn("the fleet cannot be taken over now; it is tried again", e);
            }
            if (never.await(AGAIN.toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        }
    }

    /** The predecessor's gateway ends with its process; until then its name is taken. */
    private void awaitNoGateway() throws InterruptedException {
        String gateway = GatewayFacts.actorName(spec().groupName());
        CountDownLatch never = new CountDownLatch(1);
        long end = System.nanoTime() + AGAIN.toNanos();
        FleetLeftovers.kill(gateway);
        while (Ray.getActor(gateway).isPresent()) {
            if (System.nanoTime() - end > 0) {
                throw new LaunchException("Ray still has the gateway of the owner that died");
            }
            boolean unused = never.await(LOOK.toMillis() / 10, TimeUnit.MILLISECONDS);
        }
    }

    /**
     * Launches the fleet and returns its URL. Takes everything back, and ends this actor, when the questions for
     * {@link #events} stop while it does so: the command that launches was killed.
     *
     * @throws LaunchFailure with the words of what failed
     */
    public String launch() {
        begin();
        try {
            Fleet launched = SGLangLauncher.launch(
                    spec(),
                    spec().cluster(RayClusterReader.read()),
                    request.get().options(),
                    context);
            keep(launched);
            return launched.apiUrl();
        } catch (ConfigException e) {
            throw new LaunchFailure(e.render());
        } catch (PlacementException | WorkerException | LaunchException e) {
            throw new LaunchFailure(isClosed() ? TAKEN_DOWN : String.valueOf(e.getMessage()));
        } finally {
            end();
            if (forgotten) {
                Ray.exitActor();
            }
        }
    }

    /** What happened from the event of this index on, a JSON list. */
    public String events(int from) {
        asked = System.nanoTime();
        return ProtocolJson.write(events.from(from));
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
        } else {
            running.close();
        }
        // Detached actors and placement groups end with nothing else.
        FleetLeftovers.endOfThisJob(spec().serverGroup(), spec().routerGroup());
        record.delete();
        return running != null || successor;
    }

    private synchronized boolean isClosed() {
        return closed;
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
                    LOG.warn("no driver has asked about the launch for {} s; it is taken back", FORGOTTEN.toSeconds());
                    close();
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void begin() {
        if (fleet != null || launching != null) {
            throw new LaunchFailure("this owner has launched its fleet already");
        }
        launching = Thread.currentThread();
        asked = System.nanoTime();
        Thread unused = Threads.start("sglang-ray-owner", this::endWhenForgotten);
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
            record.delete();
            throw new LaunchFailure(TAKEN_DOWN);
        }
    }
}
