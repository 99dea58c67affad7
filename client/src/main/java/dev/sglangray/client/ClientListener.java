/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

/** Hears of every attempt, for metrics and traces. Must be thread-safe, must not block; what it throws is logged nowhere and lost. */
public interface ClientListener {
    /** An attempt begins. */
    default void onStart(OutgoingRequest request) {}

    /** An attempt has ended; of a stream, with its last event. */
    default void onEnd(OutgoingRequest request, AttemptResult result) {}

    /** The call is tried again after a pause. */
    default void onRetry(OutgoingRequest request, AttemptResult result, java.time.Duration pause) {}
}
