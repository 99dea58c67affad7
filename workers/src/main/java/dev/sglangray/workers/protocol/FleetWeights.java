/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The weights that the engines of a fleet must have to get requests. Immutable; travels as JSON.
 *
 * @param generation grows by one with each change, so that what is older than what is known is recognised; 0 before the first
 * @param id names these weights. Versions can repeat, when a trainer starts again; ids do not
 * @param alsoId the id of the weights that may serve beside them while a rolling update is under way; null for none
 * @param updated by the last update; null before the first: the weights of each engine's own arguments
 */
public record FleetWeights(
        long generation,
        String id,
        @Nullable String alsoId,
        @Nullable Weights updated) {
    /** The id of the weights with which engines start. */
    public static final String INITIAL_ID = "initial";

    /** Before the first update. */
    public static final FleetWeights INITIAL = new FleetWeights(0, INITIAL_ID, null, null);

    /** An id that no other weights have. */
    public static String newId() {
        return UUID.randomUUID().toString();
    }

    /** Whether an engine that has weights of an id may get requests; null stands for weights that are not known. */
    public boolean allow(@Nullable String loadedId) {
        return loadedId != null && (loadedId.equals(id) || loadedId.equals(alsoId));
    }

    /** The next: an update's weights, perhaps beside those of now. */
    public FleetWeights next(String nextId, Weights weights, boolean mixing) {
        return new FleetWeights(generation + 1, nextId, mixing ? (alsoId != null ? alsoId : id) : null, weights);
    }

    /** The same weights, and no others beside them any more. */
    public FleetWeights alone() {
        return new FleetWeights(generation + 1, id, null, updated);
    }

    /** For people. */
    public String text() {
        return updated == null ? "the first weights" : updated.text();
    }
}
