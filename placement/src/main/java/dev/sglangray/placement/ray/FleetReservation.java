/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.plan.BundlePlan;
import dev.sglangray.placement.plan.FleetPlan;
import dev.sglangray.placement.plan.GroupPlan;
import io.ray.api.placementgroup.PlacementGroup;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The bundles of a fleet, reserved in one Ray placement group that bears the fleet's name. {@link #close()} gives them
 * back; so does the end of this driver, unless the {@link GroupCreator} made a detached group. Or the bundles lie in a group of
 * another program: then nothing is reserved, and nothing given back.
 *
 * <p>Safe for use by several threads.
 */
public final class FleetReservation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FleetReservation.class);
    private static final Duration SLICE = Duration.ofSeconds(1);
    /** A node that left may come back, so that what cannot be had is waited for a little all the same. */
    private static final Duration HOPE = Duration.ofSeconds(10);

    private static final long[] NOTES_AT_SECONDS = {1, 3, 10};
    private static final long NOTES_EVERY_SECONDS = 10;

    private final RayGroups ray;
    private final @Nullable PlacementGroup group;
    private final boolean own;
    private final AtomicBoolean closed = new AtomicBoolean();

    private FleetReservation(RayGroups ray, @Nullable PlacementGroup group, boolean own) {
        this.ray = ray;
        this.group = group;
        this.own = own;
    }

    /**
     * Reserves all bundles of a plan. When this does not succeed, nothing stays reserved.
     *
     * @param deadline how long to wait for resources, from 1 s; counted in whole seconds
     * @param progress gets what is waited for, one line at growing intervals, on the thread that waits
     * @param ledger for the message of a refusal
     * @param creator creates the group, unless the plan is for a group that exists
     * @param cancelled asked once a second; when true, the wait ends as when the thread is interrupted
     * @throws PlacementException when the deadline passes, or a node is gone or too small for 10 s, saying which bundle lacks what on which node; when the name is
     *     taken in this Ray namespace; when the plan is for a group that exists no more; or when this thread is interrupted (noticed within a second; its
     *     flag stays set)
     */
    public static FleetReservation reserve(
            FleetPlan plan,
            Duration deadline,
            Consumer<String> progress,
            ResourceLedger ledger,
            GroupCreator creator,
            BooleanSupplier cancelled) {
        return reserve(plan, deadline, progress, new LiveRayGroups(ledger, creator), cancelled);
    }

    static FleetReservation reserve(
            FleetPlan plan, Duration deadline, Consumer<String> progress, RayGroups ray, BooleanSupplier cancelled) {
        if (plan.bundles().isEmpty()) {
            return new FleetReservation(ray, null, false);
        }
        FleetReservation reservation = plan.group() instanceof GroupPlan.Existing existing
                ? new FleetReservation(ray, find(existing, ray), false)
                : new FleetReservation(ray, create((GroupPlan.Own) plan.group(), plan, ray), true);
        try {
            reservation.awaitReady(plan, deadline, progress, cancelled);
            return reservation;
        } catch (RuntimeException | Error failure) {
            try {
                reservation.close();
            } catch (RuntimeException e) {
                failure.addSuppressed(e);
            }
            throw failure;
        }
    }

    /**
     * The reservation that an earlier owner of the fleet made.
     *
     * @throws PlacementException when the group is gone
     */
    public static FleetReservation adopt(GroupPlan plan, ResourceLedger ledger) {
        RayGroups ray = new LiveRayGroups(ledger, GroupCreator.OF_THIS_PROCESS);
        if (plan instanceof GroupPlan.Existing existing) {
            return new FleetReservation(ray, find(existing, ray), false);
        }
        PlacementGroup group = ray.find(plan.name(), null)
                .orElseThrow(() -> PlacementException.of("the placement group \"%s\" is gone".formatted(plan.name())));
        return new FleetReservation(ray, group, true);
    }

    private static PlacementGroup find(GroupPlan.Existing existing, RayGroups ray) {
        return ray.find(existing.name(), existing.namespaceName())
                .orElseThrow(() -> PlacementException.of(
                        "placement group \"%s\", which the fleet was planned for, is gone".formatted(existing.name())));
    }

    private static PlacementGroup create(GroupPlan.Own group, FleetPlan plan, RayGroups ray) {
        try {
            return ray.create(
                    group.name(),
                    plan.bundles().stream().map(BundlePlan::resources).toList(),
                    group.strategy());
        } catch (RayGroups.NameTakenException taken) {
            throw PlacementException.builder("a placement group named \"%s\" exists in this Ray namespace already"
                            .formatted(plan.fleetName()))
                    .fix(
                            "A fleet of that name runs, or another job uses the name: end it, or choose another fleet name or namespace.")
                    .cause(taken)
                    .build();
        }
    }

    private void awaitReady(FleetPlan plan, Duration deadline, Consumer<String> progress, BooleanSupplier cancelled) {
        PlacementGroup waited = placementGroup();
        long start = ray.nanoTime();
        int notes = 0;
        while (true) {
            if (Thread.currentThread().isInterrupted() || cancelled.getAsBoolean()) {
                throw PlacementException.builder(
                                "interrupted while reserving the bundles of \"%s\"".formatted(plan.fleetName()))
                        .cause(new InterruptedException())
                        .build();
            }
            if (ready(plan, waited)) {
                return;
            }
            Duration elapsed = Duration.ofNanos(ray.nanoTime() - start);
            boolean late = elapsed.compareTo(deadline) >= 0;
            boolean inVain = elapsed.compareTo(HOPE) >= 0
                    && elapsed.toSeconds() >= noteAt(notes)
                    && diagnosis(plan, waited).hopeless();
            if (late || inVain) {
                throw late(plan, waited, elapsed);
            }
            if (elapsed.toSeconds() >= noteAt(notes)) {
                notes++;
                progress.accept(note(plan, waited, elapsed, deadline));
            }
        }
    }

    private boolean ready(FleetPlan plan, PlacementGroup waited) {
        try {
            return ray.awaitReady(waited, SLICE);
        } catch (RuntimeException e) {
            throw PlacementException.builder("the placement group \"%s\" cannot be waited for: %s"
                            .formatted(plan.fleetName(), e.getMessage()))
                    .cause(e)
                    .build();
        }
    }

    private static long noteAt(int notes) {
        return notes < NOTES_AT_SECONDS.length
                ? NOTES_AT_SECONDS[notes]
                : NOTES_AT_SECONDS[NOTES_AT_SECONDS.length - 1]
                        + NOTES_EVERY_SECONDS * (notes - NOTES_AT_SECONDS.length + 1);
    }

    private String note(FleetPlan plan, PlacementGroup waited, Duration elapsed, Duration deadline) {
        return "waiting for %d bundle%s, %d s of %d s: %s"
                .formatted(
                        plan.bundles().size(),
                        plan.bundles().size() == 1 ? "" : "s",
                        elapsed.toSeconds(),
                        deadline.toSeconds(),
                        diagnosis(plan, waited).summary());
    }

    private PlacementException late(FleetPlan plan, PlacementGroup waited, Duration elapsed) {
        BundleDiagnosis diagnosis = diagnosis(plan, waited);
        return PlacementException.builder("the %d bundles of \"%s\" were not reserved within %d s"
                        .formatted(plan.bundles().size(), plan.fleetName(), elapsed.toSeconds()))
                .available("Why", diagnosis.lines())
                .busy(!diagnosis.hopeless())
                .build();
    }

    private BundleDiagnosis diagnosis(FleetPlan plan, PlacementGroup waited) {
        return BundleDiagnosis.of(
                plan, ray.cluster(), ray.ledger(), waited.getId().toString());
    }

    /**
     * The placement group to start actors in, by the bundle indices of the plan.
     *
     * @throws IllegalStateException when the plan had no bundles
     */
    public PlacementGroup placementGroup() {
        if (group == null) {
            throw new IllegalStateException("the plan has no bundles, so nothing is reserved");
        }
        return group;
    }

    /** Whether the group is the fleet's own, and not one of another program. */
    public boolean isOwn() {
        return own;
    }

    /** Gives the bundles back; Ray ends the actors in them. Does nothing once that is done, nor to an existing group. */
    @Override
    public void close() {
        if (group != null && own && closed.compareAndSet(false, true)) {
            LOG.debug("removing placement group {}", group.getName());
            try {
                ray.remove(group);
            } catch (RuntimeException | Error failure) {
                closed.set(false); // so that it can be tried again
                throw failure;
            }
        }
    }
}
