/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.time.Duration;
import java.util.List;

/** A wait for a group ended before all had answered. Nothing was cancelled: waiting again is possible. */
public final class WorkerTimeoutException extends WorkerException {
    private final List<Integer> missing;

    WorkerTimeoutException(String group, String method, Duration waited, List<Integer> missing) {
        super(
                group,
                -1,
                "",
                method,
                "no answer from rank(s) " + missing + " within " + waited.toMillis() / 1000.0 + " s",
                null);
        this.missing = List.copyOf(missing);
    }

    /** The ranks that had not answered. */
    public List<Integer> missing() {
        return missing;
    }
}
