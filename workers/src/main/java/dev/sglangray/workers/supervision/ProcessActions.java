/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.supervision;

import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * What a supervisor does to its process. The methods return at once; their futures complete on the supervisor's event loop, and
 * fail with words for people.
 */
public interface ProcessActions {

    /**
     * Starts the process; completes when it is healthy. A failed start leaves nothing.
     *
     * @param sameUrl whether it serves where its predecessor did, if it can
     * @param news takes the end of the process, on the loop
     */
    CompletableFuture<Void> start(int incarnation, boolean sameUrl, Consumer<Signal> news);

    /**
     * Ends the process of a start and no other; completes when nothing is left of it.
     *
     * @param gently whether it may finish; not for one that hangs
     */
    CompletableFuture<Void> end(int incarnation, boolean gently);

    /** Whether it still works; a failure says why not. */
    CompletableFuture<Void> probe(int incarnation);
}
