/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.update;

import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.UpdateNotice;
import dev.sglangray.workers.protocol.UpdateOutcome;
import dev.sglangray.workers.protocol.WeightUpdate;
import dev.sglangray.workers.registry.EngineRegistry.Commit;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A fleet, as an update of its weights reaches it. Futures complete on the update's event loop. Those of calls to engines do not
 * fail: what went wrong is in the outcomes, one for each rank.
 */
public interface FleetPort {
    /** The engines of now, by rank. */
    CompletableFuture<List<Integer>> ranks();

    /** As the registry's {@code beginChange}; empty without a registry. */
    CompletableFuture<String> beginChange(String kind, String token, Duration lease);

    /** As the registry's {@code endChange}; does not fail. */
    CompletableFuture<Void> endChange(String token);

    /** The weights that the fleet has now. */
    CompletableFuture<FleetWeights> weights();

    /** READY, ABSENT, REFUSED or FROZEN; the first two get no requests until they are settled or the lease is over. */
    CompletableFuture<Map<Integer, UpdateOutcome>> prepare(
            List<Integer> ranks, UpdateNotice notice, Duration timeout, Duration lease);

    /** UPDATED, or why not. */
    CompletableFuture<Map<Integer, UpdateOutcome>> apply(
            List<Integer> ranks, String id, WeightUpdate update, Duration timeout);

    /** As the registry's {@code commit}; fails when no answer came. */
    CompletableFuture<Commit> commit(FleetWeights weights, String token);

    /** What keeps engines from serving with these weights, in words; empty texts for the others. */
    CompletableFuture<Map<Integer, String>> settle(
            List<Integer> ranks, FleetWeights weights, String id, Duration timeout);
}
