/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What an update of weights does to a fleet. The calls go to all ranks at once and answer for each, also for those that
 * fail; they return within the time given and little more.
 */
interface FleetHands {

    /** All engines. */
    List<Integer> ranks();

    /** The weights that the fleet is to have now. */
    FleetWeights weights(Duration longest);

    /** READY, ABSENT or REFUSED; the first two get no requests until they are settled or the lease is over. */
    Map<Integer, UpdateOutcome> prepare(List<Integer> ranks, Duration longest, Duration lease);

    /** UPDATED, or why not. */
    Map<Integer, UpdateOutcome> apply(List<Integer> ranks, Duration longest);

    /** From now on the router lets in only engines with these; a {@link WorkerException} when it does not know it for sure. */
    void commit(FleetWeights weights, boolean mixing, Duration longest);

    /** What keeps engines from serving with these weights, in words; empty texts for the others. */
    Map<Integer, String> settle(List<Integer> ranks, FleetWeights weights, Duration longest);

    /** As {@link #settle}, without waiting. */
    void settleSoon(List<Integer> ranks, FleetWeights weights);
}
