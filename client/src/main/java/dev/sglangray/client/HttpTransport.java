/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.util.concurrent.CompletableFuture;

/** Sends one HTTP call, once: no retries, no reading of JSON. Thread-safe. */
interface HttpTransport extends AutoCloseable {
    /**
     * Sends a call. The future completes with the whole body of a 2xx answer, or fails with an {@link InferenceException};
     * cancelling it cancels the call.
     */
    CompletableFuture<String> send(HttpCall call);

    /** Cancels the calls under way and frees sockets and threads. Idempotent. */
    @Override
    void close();
}
