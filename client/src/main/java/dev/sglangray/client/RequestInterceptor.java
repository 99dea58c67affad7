/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

/**
 * Sees, and may change, each attempt of each call before it is sent. Must be thread-safe and must not block: it runs on the client's
 * threads, which serve other calls too, or on the one that calls the client.
 */
@FunctionalInterface
public interface RequestInterceptor {
    /**
     * The request to send instead: the same one, or {@link OutgoingRequest#withHeader} of it.
     *
     * <p>What it throws fails the call.
     */
    OutgoingRequest intercept(OutgoingRequest request);
}
