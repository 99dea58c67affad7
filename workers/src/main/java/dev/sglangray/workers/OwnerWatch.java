/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.ThreadLoop;
import io.ray.api.PlacementGroups;
import io.ray.api.Ray;
import io.ray.api.exception.RayException;
import io.ray.api.id.PlacementGroupId;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a detached worker whose owner is gone for good: Ray itself ends no detached actor, and nobody could end the fleet. An owner
 * whose process is being replaced is not gone. All methods run on the event loop.
 */
final class OwnerWatch {
    private static final Logger LOG = LoggerFactory.getLogger(OwnerWatch.class);
    private static final Duration LOOK = Duration.ofSeconds(5);
    /** Ray must have said for so long that there is no such actor. */
    static final Duration PATIENCE = Duration.ofSeconds(30);

    private final EventLoop loop;
    private final Port port;
    private @Nullable Instant missingSince;

    /** What the watch needs of Ray. */
    interface Port {
        /** Whether Ray has the owner; fails when Ray cannot say. */
        CompletableFuture<Boolean> exists();

        /** Ends the worker and all that it has. */
        void end();
    }

    OwnerWatch(EventLoop loop, Port port) {
        this.loop = loop;
        this.port = port;
    }

    /**
     * Watches the owner of the actor that runs here, if it has one.
     *
     * @param shutdown ends what the worker runs; may block
     */
    static void start(ThreadLoop loop, @Nullable WorkerOwner owner, Runnable shutdown) {
        if (owner != null) {
            new OwnerWatch(loop, new LivePort(loop, owner, shutdown)).start();
        }
    }

    void start() {
        loop.schedule(LOOK, this::look);
    }

    private void look() {
        CompletableFuture<Void> unused = port.exists().handle((exists, failure) -> {
            if (failure != null || exists) {
                missingSince = null;
            } else if (missingSince == null) {
                missingSince = loop.now();
            } else if (Duration.between(missingSince, loop.now()).compareTo(PATIENCE) >= 0) {
                port.end();
                return null;
            }
            start();
            return null;
        });
    }

    private record LivePort(ThreadLoop loop, WorkerOwner owner, Runnable shutdown) implements Port {
        @Override
        public CompletableFuture<Boolean> exists() {
            return loop.block(() -> Ray.getActor(owner.actor())
                    .map(found -> found.getId().toString().equals(owner.actorId()))
                    .orElse(false));
        }

        @Override
        public void end() {
            CompletableFuture<Boolean> unused = loop.block(() -> {
                LOG.error("the owner of this worker, '{}', is gone for good; the worker ends", owner.actor());
                try {
                    shutdown.run();
                    removeGroup();
                } catch (RuntimeException e) {
                    LOG.warn("not all ended in order", e);
                } finally {
                    Ray.getRuntimeContext().getCurrentActorHandle().kill(true);
                }
                return true;
            });
        }

        /** Ends the other workers of the group too, which would end in this way themselves. */
        private void removeGroup() {
            if (owner.placementGroupId() == null) {
                return;
            }
            try {
                PlacementGroups.removePlacementGroup(
                        PlacementGroupId.fromBytes(HexFormat.of().parseHex(owner.placementGroupId())));
            } catch (RayException e) {
                LOG.info("the placement group was gone already: {}", e.getMessage());
            }
        }
    }
}
