/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

/**
 * Hears of every attempt, for metrics and traces. Must be thread-safe and must not block: it runs on the client's threads, which serve
 * other calls too, or on the one that calls the client. What it throws is logged nowhere and lost, an {@link Error} too.
 */
public interface ClientListener {
    /** An attempt begins. */
    default void onStart(OutgoingRequest request) {}

    /** An attempt has ended; of a stream, with its last event. */
    default void onEnd(OutgoingRequest request, AttemptResult result) {}

    /** The call is tried again after a pause. */
    default void onRetry(OutgoingRequest request, AttemptResult result, java.time.Duration pause) {}
}
