/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import java.util.List;
import java.util.Map;

/**
 * Who holds or waits for resources of a cluster at one moment: placement groups, and living actors outside of them. Tasks
 * are not in it, since Ray does not list theirs.
 *
 * @param groups the placement groups that are not removed
 * @param actors the living actors that are in no placement group
 */
public record LedgerSnapshot(List<Group> groups, List<Actor> actors) {
    /** The ledger of which nothing is known. */
    public static final LedgerSnapshot EMPTY = new LedgerSnapshot(List.of(), List.of());

    /** Copies the lists. */
    public LedgerSnapshot {
        groups = List.copyOf(groups);
        actors = List.copyOf(actors);
    }

    /**
     * A placement group.
     *
     * @param id Ray's id of it, hexadecimal
     * @param name its name; empty when it has none
     * @param namespace the Ray namespace it was made in; empty when unknown
     * @param state Ray's word, such as {@code CREATED} or {@code PENDING}
     * @param job the id of the job that created it, hexadecimal; empty when unknown
     * @param bundles its bundles by index
     */
    public record Group(String id, String name, String namespace, String state, String job, List<Bundle> bundles) {
        /** Copies the list. */
        public Group {
            bundles = List.copyOf(bundles);
        }
    }

    /**
     * A bundle.
     *
     * @param nodeId Ray's id of its node, hexadecimal; empty when it is on none yet, or unknown
     * @param resources what it reserves
     */
    public record Bundle(String nodeId, Map<String, Double> resources) {
        /** Copies the map. */
        public Bundle {
            resources = Map.copyOf(resources);
        }
    }

    /**
     * An actor.
     *
     * @param name its name, else its class
     * @param nodeId Ray's id of its node, hexadecimal
     * @param resources what it holds
     */
    public record Actor(String name, String nodeId, Map<String, Double> resources) {
        /** Copies the map. */
        public Actor {
            resources = Map.copyOf(resources);
        }
    }
}
