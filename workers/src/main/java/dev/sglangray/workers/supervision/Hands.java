/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

/**
 * What a supervisor does in the world. Methods may block, are interrupted when the supervisor closes, and fail with an
 * unchecked exception whose message is for people.
 */
public interface Hands {

    /** Starts the process and returns when it is healthy. */
    void start(int incarnation);

    /** Ends it and returns when nothing is left. */
    void end(boolean gently);

    /** Whether it still works; an exception says why not. */
    void probe();

    /** Sees to it that requests are sent to it, or whatever else follows from its serving. */
    void publish();

    /** Sees to it that no requests are sent to it. */
    void withdraw();

    /** The reconciler has decided something; must not block. */
    void changed(Standing standing);
}
