/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Instant;
import java.util.List;

/** What a reconciler learns. An incarnation counts the starts of a process, so that late news of an earlier one is recognised. */
public sealed interface Signal {

    /** The first start, which happened outside of the reconciler, succeeded. */
    record Adopted() implements Signal {}

    /**
     * This worker replaces one that died and took its process with it.
     *
     * @param restarts how often the predecessors restarted
     * @param spent when, in the current window
     */
    record Inherited(int restarts, List<Instant> spent) implements Signal {
        /** Copies the list. */
        public Inherited {
            spent = List.copyOf(spent);
        }
    }

    /** A start succeeded. */
    record Started(int incarnation) implements Signal {}

    /** A start failed; nothing is left of it. */
    record StartFailed(int incarnation, String why) implements Signal {}

    /**
     * The process ended.
     *
     * @param clean whether with exit code 0
     */
    record Exited(int incarnation, boolean clean, String why) implements Signal {}

    /** What the log of a process that ended says of it. */
    record Explained(int incarnation, String why) implements Signal {}

    /** A probe was answered, or not. */
    record Probed(int incarnation, boolean alive, String detail) implements Signal {}

    /** Time went by. */
    record Tick() implements Signal {}

    /**
     * What the worker holds of its process, which replaces what it held before.
     *
     * @param probesRest whether probes would mislead, as while memory is released
     * @param startBlocked whether a process that ended must not start again for now, as there is no room for it
     */
    record Restrained(boolean probesRest, boolean startBlocked) implements Signal {}

    /** A new process is wanted in place of this one. */
    record RestartWanted(String why) implements Signal {}

    /** The worker ends its process for good. */
    record Stopped() implements Signal {}
}
