/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** One thing that Python may ask for. */
@FunctionalInterface
public interface GatewayMethod {
    /**
     * Begins it. Only one that {@link #blocks()} may take long.
     *
     * @param arguments what Python passed
     * @return what to answer, once it is there: something that Jackson can write
     * @throws IllegalArgumentException when an argument is missing or wrong
     */
    CompletionStage<?> begin(GatewayArguments arguments);

    /** Whether it holds its thread until it is done. Few of these run at once, and the others never wait for them. */
    default boolean blocks() {
        return false;
    }

    /** One that holds its thread until it is done. */
    static GatewayMethod blocking(Function<GatewayArguments, ?> work) {
        return new GatewayMethod() {
            @Override
            public CompletionStage<?> begin(GatewayArguments arguments) {
                return CompletableFuture.completedFuture(work.apply(arguments));
            }

            @Override
            public boolean blocks() {
                return true;
            }
        };
    }
}
