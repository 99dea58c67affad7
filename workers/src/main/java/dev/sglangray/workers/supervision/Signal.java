/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a reconciler is told. An incarnation counts the starts of a process, so that late news of an earlier one is known. */
public sealed interface Signal {

    /** The first start, which somebody else made, succeeded; whoever made it also makes it known. */
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

    /** A probe was answered, or not. */
    record Probed(int incarnation, boolean alive, String detail) implements Signal {}

    /** A publication or withdrawal succeeded. */
    record Told(int errand) implements Signal {}

    /** A publication or withdrawal failed. */
    record TellingFailed(int errand, String why) implements Signal {}

    /** Whoever was told has forgotten. */
    record Forgotten() implements Signal {}

    /** Time went by. */
    record Tick() implements Signal {}

    /** Probes would mislead for now, as while memory is released; or no longer. */
    record ProbesPaused(boolean paused) implements Signal {}

    /** No new work, please; or again. */
    record Drained(boolean drained) implements Signal {}

    /**
     * It is held back, or no longer.
     *
     * @param why in words; null lifts the hold
     * @param until when it ends by itself, null for never
     */
    record Held(Hold hold, @Nullable String why, @Nullable Instant until) implements Signal {}

    /** Somebody wants a new process in place of this one. */
    record RestartWanted(String why) implements Signal {}

    /** Somebody ended the process; all is over. */
    record Stopped() implements Signal {}
}
