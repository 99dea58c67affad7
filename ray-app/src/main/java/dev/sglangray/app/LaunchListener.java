/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import java.time.Duration;

/**
 * Receives the progress of a launch. Calls come from several threads, one at a time; an implementation must return at once
 * and must not throw.
 */
public interface LaunchListener {
    /** A listener that does nothing. */
    LaunchListener NONE = new LaunchListener() {};

    /** A step begins; {@code what} says in a few words what is done. */
    default void started(LaunchPhase phase, String what) {}

    /** A step is done. */
    default void ended(LaunchPhase phase, Duration took) {}

    /** Something that a person who waits would like to know, such as what an unready placement group lacks. */
    default void note(LaunchPhase phase, String message) {}

    /**
     * One worker serves.
     *
     * @param worker group and rank, as in {@code SGLangServerGroup:1}
     * @param url where it serves
     * @param ready how many workers of its group serve now
     * @param of how many workers its group has
     */
    default void workerReady(String worker, String url, int ready, int of) {}
}
