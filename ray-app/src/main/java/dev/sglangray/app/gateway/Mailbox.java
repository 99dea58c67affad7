/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import java.util.concurrent.CompletableFuture;

/**
 * Where Python's requests wait for the fleet's owner. Only strings and numbers pass. A request is first read
 * ({@link #next}), then claimed, then carried out and answered: in between its caller may have given up, and then the
 * request is not carried out.
 */
interface Mailbox {
    /**
     * The next requests, as a JSON list of <code>{"id": 1, "request": "…"}</code>; an empty list when none came within
     * the time.
     */
    CompletableFuture<String> next(double waitSeconds);

    /** Which of these requests may be begun; both are JSON lists of ids. Those that were read before and not claimed are answered. */
    CompletableFuture<String> claim(String ids);

    /** Replaces the facts of the fleet; does not wait. */
    void tell(String factsJson);

    /** Gives an answer back; does not wait. Its caller need not wait for it any more. */
    void answer(long id, String json);
}
