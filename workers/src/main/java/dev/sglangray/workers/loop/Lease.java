/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import java.time.Duration;
import java.time.Instant;

/**
 * What ends by itself after a time, as it is kept for a successor. Immutable.
 *
 * @param untilMillis when it ends, in milliseconds since 1970 by the clock of the process that began it
 * @param millis how long it is as a whole, in milliseconds
 */
public record Lease(long untilMillis, long millis) {
    /** One that begins now. */
    public static Lease begin(Instant now, Duration length) {
        return new Lease(now.plus(length).toEpochMilli(), length.toMillis());
    }

    /** As a successor has it, never longer than the whole: the clock may have been set back since it began. */
    public Lease takenOver(Instant now) {
        return new Lease(Math.min(untilMillis, now.plusMillis(millis).toEpochMilli()), millis);
    }

    /** When it ends. */
    public Instant until() {
        return Instant.ofEpochMilli(untilMillis);
    }
}
