/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.argument;

import dev.sglangray.config.Config;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Arguments that go to an engine or a router as they are.
 *
 * @param values resolved, in the order written, as {@link Config#toJava()} gives them
 * @param source the block they come from, for positions; null when the block is absent
 */
public record ArgumentBlock(
        Map<String, @Nullable Object> values, @Nullable Config source) {

    public ArgumentBlock {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** No arguments. */
    public static ArgumentBlock empty() {
        return new ArgumentBlock(Map.of(), null);
    }

    /** The block they come from, if there is one. */
    public Optional<Config> config() {
        return Optional.ofNullable(source);
    }

    /** The arguments' names only: their values may be secret. */
    @Override
    public String toString() {
        return "ArgumentBlock" + values.keySet();
    }
}
