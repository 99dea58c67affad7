/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A consistent look at a reconciler.
 *
 * @param condition where the process stands
 * @param since since when
 * @param incarnation the number of its starts after the first
 * @param restarts how often it came back
 * @param drained whether it is to get no new requests
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
        boolean withdrawn,
        boolean published,
        List<Instant> spent,
        @Nullable String lastError) {
    /** Copies the list. */
    public Standing {
        spent = List.copyOf(spent);
    }
}
