/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Turns the nearest valid name into a sentence. */
final class Suggestions {
    private Suggestions() {}

    static @Nullable String didYouMean(String seen, Collection<String> valid) {
        return null;
    }
}
