/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import java.util.concurrent.CompletableFuture;

/** The engines' workers, as the registry reaches them. Futures complete on the registry's event loop. */
public interface WorkersPort {
    /**
     * Asks a worker to report how its engine stands, under a new epoch.
     *
     * @param actor the name of its actor
     * @return whether there is such an actor; a failure when it does not answer at the moment
     */
    CompletableFuture<Boolean> askForReport(String actor);

    /** Completes, with words, when the process of a worker has died; never when that cannot be known. */
    CompletableFuture<String> awaitDeath(String actor);

    /** Completes when an idle connection to a URL ends, or none can be made. */
    CompletableFuture<Void> awaitDisconnect(String url);

    /** Whether it is certain that nothing listens at a URL. */
    CompletableFuture<Boolean> isRefused(String url);
}
