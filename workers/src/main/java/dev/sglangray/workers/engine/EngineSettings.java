/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.Weights;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What never changes for an engine, and the questions that its controller asks.
 *
 * @param key names its worker's actor and no other
 * @param actor the actor's name
 * @param initial the weights with which its processes start; sealed before the key to the secrets has come
 * @param updateWeights whether it gets the weights of an update; if not, it keeps those that it starts with
 * @param keepsWeights whether the engine has a copy of released weights, from which it restores them
 * @param toLoad how long loading weights may take
 * @param endpoint where the process serves; null before that is known
 * @param releaseRefusal why this engine can release no memory, if so
 * @param updateRefusal why the weights in a folder, or those from memory for null, cannot be loaded, if so; must not block for
 *     long
 */
public record EngineSettings(
        String key,
        String actor,
        Supplier<Weights> initial,
        boolean updateWeights,
        boolean keepsWeights,
        Duration toLoad,
        Supplier<@Nullable ServerEndpoint> endpoint,
        Supplier<Optional<String>> releaseRefusal,
        Function<@Nullable String, Optional<String>> updateRefusal) {}
