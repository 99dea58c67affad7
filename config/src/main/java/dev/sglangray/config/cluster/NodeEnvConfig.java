/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.cluster;

import dev.sglangray.config.RawValue;
import dev.sglangray.config.error.SourcePosition;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The software environment of some nodes: an item of a node group's {@code env_configs}, as in RLinf.
 *
 * @param nodeRanks the rank expression of the nodes
 * @param envVars environment variables in the order written
 * @param pythonInterpreterPath the Python to use there; null for the default
 * @param position where the item was written
 */
public record NodeEnvConfig(
        RawValue nodeRanks,
        Map<String, String> envVars,
        @Nullable String pythonInterpreterPath,
        SourcePosition position) {

    public NodeEnvConfig {
        envVars = Collections.unmodifiableMap(new LinkedHashMap<>(envVars));
    }

    /** The Python to use there, if it is not the default. */
    public Optional<String> pythonInterpreter() {
        return Optional.ofNullable(pythonInterpreterPath);
    }
}
