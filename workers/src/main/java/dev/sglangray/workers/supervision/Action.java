/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/** What a reconciler wants done. Each is answered with a {@link Signal}. */
public sealed interface Action {

    /** Start the process and wait until it is healthy. */
    record Start(int incarnation) implements Action {}

    /**
     * End the process.
     *
     * @param gently whether it may finish; not for one that hangs
     */
    record End(int incarnation, boolean gently) implements Action {}

    /** Find out whether it still works. */
    record Probe(int incarnation) implements Action {}
}
