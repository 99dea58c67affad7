/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import java.util.Set;

/**
 * What autoscaling makes of a pool's load. Immutable.
 *
 * @param pool the pool's name
 * @param ongoing its ongoing requests, running and queued, averaged
 * @param desired how many engines it is to have by that, within its bounds
 * @param held why it is not changed at the moment, as the values of a label; empty when nothing is in the way
 */
public record PoolDemand(String pool, double ongoing, int desired, Set<String> held) {
    /** Copies the set. */
    public PoolDemand {
        held = Set.copyOf(held);
    }

    /** What became of a decision. */
    public enum Result {
        /** The pool has the engines. */
        DONE,
        /** Some of the further engines found room. */
        PARTLY,
        /** The pool is as it was. */
        FAILED,
        /** Another change was under way. */
        REFUSED
    }
}
