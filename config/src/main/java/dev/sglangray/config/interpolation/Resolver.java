/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A function that an interpolation calls by name. It computes from its arguments and the tree and does nothing else. */
@FunctionalInterface
interface Resolver {
    /**
     * Computes the value of a call.
     *
     * @param site where the call stands
     * @param arguments plain values, or container nodes
     * @return a plain value, or a node
     * @throws ResolutionException when the arguments do not fit
     */
    @Nullable
    Object call(CallSite site, List<@Nullable Object> arguments);
}
