/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What a router must know to send requests to an engine. Travels as JSON.
 *
 * @param url base URL
 * @param workerType the router's word: {@code regular}, {@code prefill} or {@code decode}
 * @param bootstrapPort where a prefill engine hands its cache over, or null for the others
 * @param apiKey the key that guards the engine, or null
 * @param actor the name of the server worker's actor, or null for a server without one
 * @param key names that actor and no other, also not a later one of the same name; null for a server without one
 * @param epoch of the worker's report when it said this; 0 for a server without a worker
 * @param model the name that it answers to; null where that is not known
 * @param updateWeights whether it must have the fleet's weights; false for one that keeps its own
 */
public record ServerEndpoint(
        String url,
        String workerType,
        @Nullable Integer bootstrapPort,
        @Nullable String apiKey,
        @Nullable String actor,
        @Nullable String key,
        long epoch,
        @Nullable String model,
        boolean updateWeights) {

    /** A server that no worker of a fleet looks after. */
    public ServerEndpoint(String url, String workerType, @Nullable Integer bootstrapPort, @Nullable String apiKey) {
        this(url, workerType, bootstrapPort, apiKey, null, null, 0, null, true);
    }

    /** A regular engine without a key. */
    public static ServerEndpoint regular(String url) {
        return new ServerEndpoint(url, "regular", null, null);
    }

    /** At another URL. */
    public ServerEndpoint withUrl(String other) {
        return new ServerEndpoint(other, workerType, bootstrapPort, apiKey, actor, key, epoch, model, updateWeights);
    }

    /** Without the key, for what lies on a disk. */
    public ServerEndpoint withoutApiKey() {
        return new ServerEndpoint(url, workerType, bootstrapPort, null, actor, key, epoch, model, updateWeights);
    }

    /** As its worker says it under an epoch. */
    public ServerEndpoint at(long now) {
        return new ServerEndpoint(url, workerType, bootstrapPort, apiKey, actor, key, now, model, updateWeights);
    }

    /** Without the key. */
    @Override
    public String toString() {
        return "ServerEndpoint[" + url + ", " + workerType + (bootstrapPort == null ? "" : ", " + bootstrapPort) + "]";
    }
}
