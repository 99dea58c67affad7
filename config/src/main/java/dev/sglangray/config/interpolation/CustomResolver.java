/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.interpolation;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A function of a program that interpolations call by name, as {@code ${name:1,text}}. It is called whenever a value is
 * read, possibly by several threads at once, so it should compute from its arguments and do nothing else.
 */
@FunctionalInterface
public interface CustomResolver {
    /**
     * Computes the value of a call.
     *
     * @param arguments texts, numbers, booleans, nulls, lists and maps, as written in the call, interpolations resolved
     * @return one of the same
     * @throws RuntimeException when the arguments do not fit; its message becomes part of the configuration's error
     */
    @Nullable
    Object resolve(List<@Nullable Object> arguments);
}
