/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import java.util.concurrent.CompletableFuture;

/** Where Python's requests wait for the fleet's owner. Only strings and numbers pass. */
interface Mailbox {
    /**
     * The next requests, as a JSON list of <code>{"id": 1, "request": "…"}</code>; an empty list when none came within
     * the time.
     */
    CompletableFuture<String> next(double waitSeconds);

    /** Replaces what whoever attaches is told; does not wait. */
    void tell(String factsJson);

    /** Gives an answer back; does not wait. Nobody need be there for it any more. */
    void answer(long id, String json);
}
