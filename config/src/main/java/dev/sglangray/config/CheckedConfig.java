/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigProblem;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A configuration that was read to the end in spite of problems, so that all of them are reported together.
 *
 * @param loaded what could be composed; null when nothing could. With errors among the problems it is for finding further
 *     ones, not for use
 * @param problems what was found while reading and composing
 */
public record CheckedConfig(@Nullable Config loaded, List<ConfigProblem> problems) {
    public CheckedConfig {
        problems = List.copyOf(problems);
    }

    /** What could be composed. */
    public Optional<Config> config() {
        return Optional.ofNullable(loaded);
    }
}
