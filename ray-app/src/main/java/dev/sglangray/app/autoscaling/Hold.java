/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import java.util.Locale;

/** Why autoscaling does not change a pool at the moment. */
public enum Hold {
    /** A hand gave the pool a size that is not within its bounds. */
    BOUNDS(true, false),
    /** The fleet is being changed: by a hand, an update, a rolling restart, a move, or by autoscaling itself. */
    CHANGE(true, false),
    /** The router is not ready, or its worker does not answer, so that what engines have to do says nothing of what is asked of them. */
    ROUTER(true, false),
    /** Engines have released their memory, or their generation is paused. */
    PAUSED(true, false),
    /** An engine has failed for good; one more would fail as well. */
    FAILED(true, true),
    /** An engine has no worker, or its worker does not answer: its node may be lost. */
    MISSING(true, true),
    /** An engine starts, restarts, or gets no requests, also because a hand drained it. */
    NOT_SERVING(false, true),
    /** An engine does not say how much it has to do. */
    UNKNOWN_LOAD(false, true),
    /** A change failed a moment ago. */
    PAUSE(true, false);

    private final boolean forGrowth;
    private final boolean said;

    Hold(boolean forGrowth, boolean said) {
        this.forGrowth = forGrowth;
        this.said = said;
    }

    /** Whether the pool is not given more engines either; it is given fewer with none of these. */
    boolean isForGrowth() {
        return forGrowth;
    }

    /** Whether the events say so when it is in the way of a change. */
    boolean isSaid() {
        return said;
    }

    /** The value of the label {@code reason} in metrics. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
