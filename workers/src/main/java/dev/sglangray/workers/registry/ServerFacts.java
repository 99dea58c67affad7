/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a server says of itself.
 *
 * @param models the names that it answers to; empty when it names none
 * @param weightVersion the version of its weights; null when it names none
 */
public record ServerFacts(List<String> models, @Nullable String weightVersion) {
    /** It says nothing. */
    public static final ServerFacts NONE = new ServerFacts(List.of(), null);

    /** Copies the list. */
    public ServerFacts {
        models = List.copyOf(models);
    }
}
