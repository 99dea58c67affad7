/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Instant;

/** Where a supervised process stands. */
public sealed interface Phase {

    /** Nothing is wanted: not started yet, or ended on request. */
    record Idle() implements Phase {}

    /** Waits for its next start. */
    record Waiting(Instant until) implements Phase {}

    /** A start is under way. */
    record Starting() implements Phase {}

    /** Runs and answers. */
    record Serving() implements Phase {}

    /** Is being ended, to be started again. */
    record Ending() implements Phase {}

    /**
     * Given up.
     *
     * @param why for people
     */
    record Lost(String why) implements Phase {}
}
