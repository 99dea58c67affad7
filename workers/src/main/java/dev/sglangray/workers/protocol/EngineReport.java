/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What an engine's worker says of its engine to the registry. It is a whole statement, not a change: the last one counts. Travels
 * as JSON.
 *
 * @param key names the worker's actor and no other, also not a later one of the same name
 * @param actor the actor's name
 * @param epoch grows with each statement of the actor, over restarts of its process: a statement with a lower one is out of date
 * @param serves whether the engine may get requests
 * @param why why not, in words; empty when it may
 * @param endpoint where it serves; null while that is not known
 * @param weightsId the {@link FleetWeights#id()} of the weights that it has; null when that is not known
 */
public record EngineReport(
        String key,
        String actor,
        long epoch,
        boolean serves,
        String why,
        @Nullable ServerEndpoint endpoint,
        @Nullable String weightsId) {}
