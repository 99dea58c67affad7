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
 * @param startBlocked whether it waits for a start that is not allowed for now
 * @param spent when restarts were spent of the current budget
 * @param lastError the last thing that went wrong, or null
 * @param probes how many probes were answered, or failed, since the worker's process began
 */
public record SupervisionStatus(
        SupervisionPhase condition,
        Instant since,
        int incarnation,
        int restarts,
        boolean startBlocked,
        List<Instant> spent,
        @Nullable String lastError,
        long probes) {
    /** Copies the list. */
    public SupervisionStatus {
        spent = List.copyOf(spent);
    }

    /** When restarts were spent, in milliseconds since 1970, as a successor gets it. */
    public List<Long> spentMillis() {
        return spent.stream().map(Instant::toEpochMilli).toList();
    }

    /** Whether the process runs and answers. */
    public boolean isServing() {
        return condition instanceof SupervisionPhase.Serving;
    }

    /** Whether the process was given up. */
    public boolean isLost() {
        return condition instanceof SupervisionPhase.Lost;
    }

    /** Why it does not serve, in words. */
    public String describe(String what) {
        if (condition instanceof SupervisionPhase.Lost lost) {
            return "the " + what + " is lost: " + lost.why();
        }
        return "the " + what + " does not serve at the moment"
                + (lastError == null ? "" : "; the last error: " + lastError);
    }
}
