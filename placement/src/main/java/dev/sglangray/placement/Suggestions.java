/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import dev.sglangray.config.error.NearestName;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Turns the nearest valid name into a sentence. */
public final class Suggestions {
    private Suggestions() {}

    public static @Nullable String didYouMean(String seen, Collection<String> valid) {
        return NearestName.nearest(seen, valid)
                .map(name -> "Did you mean \"" + name + "\"?")
                .orElse(null);
    }
}
