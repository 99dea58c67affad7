/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.gang;

import dev.sglangray.workers.process.Incarnation;
import dev.sglangray.workers.process.ServerSpec;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * A further part of an engine, as part 0's worker sees it. Every start of the engine has a key; what is asked with the key of an
 * earlier start has no effect. All futures fail when the part's worker does not answer, with a {@link PartLostException} when its
 * process is gone. Safe for use by many threads.
 */
public interface PartPort {
    /** SGLang's {@code node_rank}, 1 or more. */
    int number();

    /** Its node's address. */
    String node();

    /**
     * Begins its imports, if they have not begun; answers once its worker is there.
     *
     * @param patience how long the worker may take to be there
     * @param abort ends the wait for it when it is complete
     */
    CompletableFuture<PartFacts> open(ServerSpec spec, Duration patience, CompletableFuture<?> abort);

    /**
     * Ends what is left of earlier starts, and keeps other engines from starting on its accelerators until this start has loaded or
     * ended.
     *
     * @param patience how long one other engine may hold an accelerator
     */
    CompletableFuture<Boolean> hold(String key, ServerSpec spec, Duration patience);

    /** Starts its process and does not wait for it. */
    CompletableFuture<Boolean> start(String key, ServerSpec spec, Incarnation incarnation);

    /** How it stands, once that is another phase than the one that is known; the same after a while. Renews the part's lease. */
    CompletableFuture<PartState> await(String key, PartState.Phase known);

    /**
     * Ends its process; answers when nothing is left of it.
     *
     * @param absolve whether another part is to blame for the end of a start: this one can be forked again
     */
    CompletableFuture<Boolean> end(String key, Duration grace, boolean absolve);

    /** The last lines of its log. */
    CompletableFuture<String> logTail(int lines);

    /** Ends all that its worker has. */
    CompletableFuture<Boolean> shutdown();
}
