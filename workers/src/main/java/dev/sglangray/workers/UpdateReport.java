/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.workers.protocol.UpdateOutcome;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What came of an update of a fleet's weights: the fleet has the new ones.
 *
 * @param version the version that the fleet has
 * @param engines what came of it at each rank; an engine that is not {@code UPDATED} gets no requests before it has the fleet's
 *     weights, to which its worker brings it
 * @param secondsToQuiet until no engine had requests
 * @param secondsToLoad from then until the last engine had loaded
 * @param secondsToReturn from then until the engines with the new weights had requests again
 */
public record UpdateReport(
        String version,
        Map<Integer, UpdateOutcome> engines,
        double secondsToQuiet,
        double secondsToLoad,
        double secondsToReturn) {
    /** Copies the map. */
    public UpdateReport {
        engines = Collections.unmodifiableMap(new LinkedHashMap<>(engines));
    }

    /** Whether every engine that gets the weights of updates has them. */
    public boolean isComplete() {
        return missing().isEmpty();
    }

    /** The ranks that do not have them yet; those of frozen pools never will, and are left out. */
    public List<Integer> missing() {
        return engines.entrySet().stream()
                .filter(entry -> !entry.getValue().is(UpdateOutcome.Result.UPDATED)
                        && !entry.getValue().is(UpdateOutcome.Result.FROZEN))
                .map(Map.Entry::getKey)
                .toList();
    }
}
