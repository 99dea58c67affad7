/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Instant;

/** Where a supervised process stands. */
public sealed interface SupervisionPhase {

    /** Nothing is wanted: not started yet, or ended on request. */
    record Idle() implements SupervisionPhase {}

    /** Waits for its next start. */
    record Waiting(Instant until) implements SupervisionPhase {}

    /** A start is under way. */
    record Starting() implements SupervisionPhase {}

    /** Runs and answers. */
    record Serving() implements SupervisionPhase {}

    /** Is being ended, to be started again. */
    record Ending() implements SupervisionPhase {}

    /**
     * Given up.
     *
     * @param why for people
     */
    record Lost(String why) implements SupervisionPhase {}
}
