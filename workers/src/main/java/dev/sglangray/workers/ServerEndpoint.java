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
 * @param weightVersion the version of its weights, or null when that is not known
 */
public record ServerEndpoint(
        String url,
        String workerType,
        @Nullable Integer bootstrapPort,
        @Nullable String apiKey,
        @Nullable String actor,
        @Nullable String weightVersion) {

    /** A server that is none of ours. */
    public ServerEndpoint(String url, String workerType, @Nullable Integer bootstrapPort, @Nullable String apiKey) {
        this(url, workerType, bootstrapPort, apiKey, null, null);
    }

    /** A regular engine without a key. */
    public static ServerEndpoint regular(String url) {
        return new ServerEndpoint(url, "regular", null, null);
    }

    ServerEndpoint withWeightVersion(@Nullable String version) {
        return new ServerEndpoint(url, workerType, bootstrapPort, apiKey, actor, version);
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "ServerEndpoint[" + url + ", " + workerType + (bootstrapPort == null ? "" : ", " + bootstrapPort) + "]";
    }
}
