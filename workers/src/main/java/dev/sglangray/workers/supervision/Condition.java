/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Instant;

/** Where a supervised process stands. */
public sealed interface Condition {

    /** Nothing is wanted: not started yet, or ended because somebody asked. */
    record Idle() implements Condition {}

    /** Waits for its next start. */
    record Waiting(Instant until) implements Condition {}

    /** A start is under way. */
    record Starting() implements Condition {}

    /** Runs and answers. */
    record Serving() implements Condition {}

    /** Is being ended, to be started again. */
    record Ending() implements Condition {}

    /**
     * Given up.
     *
     * @param why for people
     */
    record Lost(String why) implements Condition {}
}
