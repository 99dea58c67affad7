/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.placement.OrderedMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The software environment of some nodes of a group: one entry of {@code env_configs}.
 *
 * @param nodeRanks the nodes it is for
 * @param variables environment variables, in the order of the configuration
 * @param pythonInterpreter the Python to use there, or null for the default one
 */
public record NodeEnvironment(
        Set<Integer> nodeRanks,
        Map<String, String> variables,
        @Nullable String pythonInterpreter) {
    /** Copies the collections. */
    public NodeEnvironment {
        nodeRanks = Set.copyOf(nodeRanks);
        variables = OrderedMap.copyOf(variables);
    }
}
