/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import org.jspecify.annotations.Nullable;

/**
 * What a router must know to send requests to an engine. Travels as JSON.
 *
 * @param url base URL
 * @param workerType the router's word: {@code regular}, {@code prefill} or {@code decode}
 * @param bootstrapPort where a prefill engine hands its cache over, or null for the others
 * @param apiKey the key that guards the engine, or null
 * @param actor the name of the server worker's actor, or null for a server that is none of ours
 */
public record ServerEndpoint(
        String url,
        String workerType,
        @Nullable Integer bootstrapPort,
        @Nullable String apiKey,
        @Nullable String actor) {

    /** A server that is none of ours. */
    public ServerEndpoint(String url, String workerType, @Nullable Integer bootstrapPort, @Nullable String apiKey) {
        this(url, workerType, bootstrapPort, apiKey, null);
    }

    /** A regular engine without a key. */
    public static ServerEndpoint regular(String url) {
        return new ServerEndpoint(url, "regular", null, null, null);
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "ServerEndpoint[" + url + ", " + workerType + (bootstrapPort == null ? "" : ", " + bootstrapPort) + "]";
    }
}
