/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.detached;

import dev.sglangray.app.FleetState;
import dev.sglangray.app.session.DriverNode;
import dev.sglangray.app.session.RayLedger;
import dev.sglangray.placement.ray.LedgerSnapshot;
import io.ray.api.BaseActorHandle;
import io.ray.api.PlacementGroups;
import io.ray.api.Ray;
import io.ray.api.exception.RayException;
import io.ray.api.placementgroup.PlacementGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What Ray has of a fleet, and its end without asking the fleet. Stateless. */
public final class FleetLeftovers {
    private static final Logger log = LoggerFactory.getLogger(FleetLeftovers.class);
    private static final Duration LOOK = Duration.ofMillis(250);

    private FleetLeftovers() {}

    /**
     * What Ray lists of this session's namespace.
     *
     * @throws IllegalStateException when Ray's tables cannot be read
     */
    public static FleetTraces read() {
        String namespace = Ray.getRuntimeContext().getNamespace();
        RayLedger ledger = new RayLedger();
        return new FleetTraces(
                namespace,
                ledger.named(namespace)
                        .orElseThrow(() -> new IllegalStateException("Ray's table of actors cannot be read")),
                ledger.read().groups());
    }

    /** The processes of a fleet's actors on this node. */
    public static ActorProcesses processes(Optional<String> group, Optional<String> routerGroup) {
        return ActorProcesses.of(
                read().rows(group, routerGroup), DriverNode.address().orElse(""));
    }

    /**
     * Ends what an owner had begun and not written down, and tells which engines are where it wrote.
     *
     * @param group the engines' group
     * @return the ranks of these engines
     */
    static List<Integer> endUnknown(String group, FleetState state) {
        FleetTraces traces = read();
        List<String> ended = new ArrayList<>();
        List<Integer> known = traces.known(group, state);
        traces.ranks(group).stream()
                .filter(rank -> !known.contains(rank))
                .forEach(rank -> kill(group + ":" + rank, ended));
        traces.unknownParts(group, known).forEach(part -> kill(part, ended));
        traces.unknownGroups(group, state).forEach(found -> removeGroup(found, ended));
        ended.forEach(what -> log.info("ended {}, which a change had begun when its owner died", what));
        return known;
    }

    /**
     * Kills the actors of a fleet but its owner, and removes its placement groups, as far as this job created them: another job's
     * fleet may have the names.
     */
    static void endOfThisJob(Optional<String> group, Optional<String> routerGroup) {
        FleetTraces traces =
                read().ofJob(Ray.getRuntimeContext().getCurrentJobId().toString());
        end(traces, group, routerGroup, actor -> !DetachedFleets.isOwner(actor))
                .forEach(what -> log.info("ended {}", what));
    }

    /** Kills an actor for good. */
    static void kill(String actor) {
        kill(actor, new ArrayList<>());
    }

    /**
     * Kills every actor of a fleet and removes its placement groups, without asking any of them.
     *
     * @return what was found, in words
     */
    public static List<String> end(Optional<String> group, Optional<String> routerGroup) {
        return end(read(), group, routerGroup, actor -> true);
    }

    private static List<String> end(
            FleetTraces traces, Optional<String> group, Optional<String> routerGroup, Predicate<String> actors) {
        List<String> ended = new ArrayList<>();
        traces.actors(group, routerGroup).stream().filter(actors).forEach(actor -> kill(actor, ended));
        traces.placementGroups(group, routerGroup).forEach(found -> removeGroup(found, ended));
        return ended;
    }

    /**
     * Waits until Ray lists no actor and no placement group of a fleet any more.
     *
     * @return what Ray still lists after that time, in words
     */
    public static List<String> awaitGone(Optional<String> group, Optional<String> routerGroup, Duration timeout)
            throws InterruptedException {
        long end = System.nanoTime() + timeout.toNanos();
        CountDownLatch never = new CountDownLatch(1);
        while (true) {
            FleetTraces traces = read();
            List<String> left = new ArrayList<>();
            traces.actors(group, routerGroup).forEach(actor -> left.add("actor " + actor));
            traces.placementGroups(group, routerGroup).forEach(found -> left.add("placement group " + found.name()));
            if (left.isEmpty() || System.nanoTime() - end > 0) {
                return left;
            }
            boolean unused = never.await(LOOK.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private static void kill(String actor, List<String> ended) {
        Optional<BaseActorHandle> found = Ray.getActor(actor);
        if (found.isPresent()) {
            try {
                found.get().kill(true);
                ended.add("actor " + actor);
            } catch (RayException e) {
                log.debug("{} was gone already", actor, e);
            }
        }
    }

    private static void removeGroup(LedgerSnapshot.Group group, List<String> ended) {
        try {
            PlacementGroup found = PlacementGroups.getPlacementGroup(group.name());
            if (found != null && found.getId().toString().equals(group.id())) {
                PlacementGroups.removePlacementGroup(found.getId());
                ended.add("placement group " + group.name());
            }
        } catch (RayException e) {
            log.debug("placement group {} was gone already", group.name(), e);
        }
    }
}
