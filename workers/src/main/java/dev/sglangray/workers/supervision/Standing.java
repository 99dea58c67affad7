/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A consistent look at a reconciler.
 *
 * @param condition where the process stands
 * @param since since when
 * @param incarnation the number of its starts after the first
 * @param restarts how often it came back
 * @param drained whether it is to get no new requests
 * @param holds what holds it back, each with its words
 * @param withdrawn whether it is known that the router does not send to it
 * @param published whether it is known that the router does
 * @param spent when restarts were spent of the current budget
 * @param lastError the last thing that went wrong, or null
 */
public record Standing(
        Condition condition,
        Instant since,
        int incarnation,
        int restarts,
        boolean drained,
        Map<Hold, String> holds,
        boolean withdrawn,
        boolean published,
        List<Instant> spent,
        @Nullable String lastError) {
    /** Copies list and map. */
    public Standing {
        holds = Map.copyOf(holds);
        spent = List.copyOf(spent);
    }

    /** Whether new requests are kept away although it serves. */
    public boolean isWithheld() {
        return drained || holds.keySet().stream().anyMatch(Hold::withholds);
    }

    /** Whether it waits for a start that a hold forbids for now. */
    public boolean isStartBlocked() {
        return condition instanceof Condition.Waiting && holds.keySet().stream().anyMatch(Hold::blocksStart);
    }
}
