/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

/**
 * A change of a pool's size that is due. Immutable.
 *
 * @param pool the pool's name
 * @param from how many engines it is to have now
 * @param to how many it is to have then
 * @param why in words
 */
public record PoolChange(String pool, int from, int to, String why) {
    /** Whether there are to be more. */
    public boolean isUp() {
        return to > from;
    }

    /** For the events. */
    public String text() {
        return "autoscaling: %s %s from %d to %d engine(s): %s"
                .formatted(name(pool), isUp() ? "grows" : "shrinks", from, to, why);
    }

    /** A pool in words. */
    static String name(String pool) {
        return pool.isEmpty() ? "the fleet" : "pool '" + pool + "'";
    }
}
