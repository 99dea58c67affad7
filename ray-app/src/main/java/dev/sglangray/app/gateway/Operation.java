/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import java.util.concurrent.CompletionStage;

/** One thing that Python may ask for. */
@FunctionalInterface
public interface Operation {
    /**
     * Begins it. May block, on a thread of the gateway's own.
     *
     * @param arguments what Python passed
     * @return what to answer, once it is there: something that Jackson can write
     * @throws IllegalArgumentException when an argument is missing or wrong
     */
    CompletionStage<?> begin(Arguments arguments);
}
