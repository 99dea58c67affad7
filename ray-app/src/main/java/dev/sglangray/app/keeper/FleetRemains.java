/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.keeper;

import dev.sglangray.app.gateway.GatewayFacts;
import dev.sglangray.placement.FleetGrowth;
import io.ray.api.BaseActorHandle;
import io.ray.api.PlacementGroups;
import io.ray.api.Ray;
import io.ray.api.exception.RayException;
import io.ray.api.placementgroup.PlacementGroup;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What is left of a fleet that half died, found by the names that a fleet of these groups would use. Stateless. */
public final class FleetRemains {
    private static final Logger log = LoggerFactory.getLogger(FleetRemains.class);
    /** More engines than a cluster has accelerators nobody has; each rank costs a question of a millisecond. */
    private static final int RANKS = 256;
    /** Of further engines' placement groups; a name costs as much. */
    private static final int CHANGES = 256;

    private FleetRemains() {}

    /**
     * Kills every actor of these names and removes their placement groups, without asking any of them.
     *
     * @return what was found, in words
     */
    public static List<String> end(String group, String routerGroup) {
        List<String> ended = new ArrayList<>();
        // First who owns the others, so that it does not react to their end.
        for (String owner : List.of(FleetKeepers.keeperName(group), FleetKeepers.keeperName(routerGroup))) {
            kill(owner, ended);
        }
        kill(GatewayFacts.actorName(group), ended);
        kill(GatewayFacts.actorName(routerGroup), ended);
        kill(routerGroup + ":0", ended);
        for (int rank = 0; rank < RANKS; rank++) {
            kill(group + ":" + rank, ended);
        }
        for (String name : List.of("sglang-ray/" + group, "sglang-ray/" + routerGroup)) {
            removeGroup(name, ended);
            for (int change = 1; change <= CHANGES; change++) {
                removeGroup(FleetGrowth.groupName(name, change), ended);
            }
        }
        return ended;
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

    private static void removeGroup(String name, List<String> ended) {
        try {
            PlacementGroup found = PlacementGroups.getPlacementGroup(name);
            if (found != null) {
                PlacementGroups.removePlacementGroup(found.getId());
                ended.add("placement group " + name);
            }
        } catch (RayException e) {
            log.debug("placement group {} was gone already", name, e);
        }
    }
}
