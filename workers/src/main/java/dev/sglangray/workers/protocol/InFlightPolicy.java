/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

/** What becomes of requests that engines work on when their weights are to be replaced. */
public enum InFlightPolicy {
    /** They are waited for; when they take longer than the update may, nothing is updated. */
    DRAIN,
    /** They end at once, with what they have so far. */
    ABORT,
    /** They stay and are computed again after the update: the tokens that they have are by the old weights, the rest by the new. */
    RETRACT,
    /** They stay and go on after the update with the cache that they have: part by the old weights, the rest by the new. */
    IN_PLACE
}
