/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.ResourceText;
import dev.sglangray.placement.plan.GroupStrategy;
import io.ray.api.placementgroup.PlacementGroup;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Asks for nodes where Ray's cluster autoscaler runs: a placement group that is pending is demand for them. Once Ray could place the group
 * it is given back, so that what it was for can be planned there. Stateless.
 */
public final class NodeDemand {
    private static final Duration SLICE = Duration.ofSeconds(1);
    private static final Duration NOTES = Duration.ofSeconds(10);

    private NodeDemand() {}

    /**
     * Waits until Ray has room for all of these bundles at once. Nothing stays reserved, however this ends, nor when this process ends.
     *
     * @param name the group's name
     * @param deadline how long to wait, from 1 s; counted in whole seconds
     * @param progress gets what is waited for, on the thread that waits
     * @param cancelled asked once a second; when true, the wait ends as when the thread is interrupted
     * @throws PlacementException when the deadline passes, the name is taken, or this thread is interrupted (noticed within a second; its
     *     flag stays set)
     */
    public static void await(
            String name,
            List<Map<String, Double>> bundles,
            Duration deadline,
            Consumer<String> progress,
            BooleanSupplier cancelled) {
        await(
                name,
                bundles,
                deadline,
                progress,
                new LiveRayGroups(ResourceLedger.PUBLIC, GroupCreator.OF_THIS_PROCESS),
                cancelled);
    }

    static void await(
            String name,
            List<Map<String, Double>> bundles,
            Duration deadline,
            Consumer<String> progress,
            RayGroups ray,
            BooleanSupplier cancelled) {
        PlacementGroup group = create(name, bundles, ray);
        try {
            long start = ray.nanoTime();
            long noted = start - NOTES.toNanos();
            while (!ray.awaitReady(group, SLICE)) {
                long now = ray.nanoTime();
                if (Thread.currentThread().isInterrupted() || cancelled.getAsBoolean()) {
                    throw PlacementException.builder("interrupted while waiting for nodes")
                            .cause(new InterruptedException())
                            .build();
                }
                if (now - start >= deadline.toNanos()) {
                    throw PlacementException.of("no nodes came within %d s".formatted(deadline.toSeconds()));
                }
                if (now - noted >= NOTES.toNanos()) {
                    noted = now;
                    progress.accept("waiting for nodes with room for %d bundle(s) of %s, %d s of %d s"
                            .formatted(
                                    bundles.size(),
                                    ResourceText.of(bundles.get(0)),
                                    Duration.ofNanos(now - start).toSeconds(),
                                    deadline.toSeconds()));
                }
            }
        } finally {
            ray.remove(group);
        }
    }

    private static PlacementGroup create(String name, List<Map<String, Double>> bundles, RayGroups ray) {
        try {
            return ray.create(name, bundles, GroupStrategy.PACK);
        } catch (RayGroups.NameTakenException taken) {
            throw PlacementException.builder("an earlier question for nodes, '" + name + "', is still pending")
                    .cause(taken)
                    .build();
        }
    }
}
