/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What differs in a further part of an engine from part 0.
 *
 * @param node the address of its node
 * @param environment variables on top of the part's worker's own
 * @param pythonInterpreter the part's Python, or null for the default
 * @param deviceVariable as {@link ServerSpec#deviceVariable()}
 * @param plannedDevices as {@link ServerSpec#plannedDevices()}
 * @param host the address that the part listens at, or null for all of its node's
 */
public record PartSpec(
        String node,
        Map<String, String> environment,
        @Nullable String pythonInterpreter,
        String deviceVariable,
        List<String> plannedDevices,
        @Nullable String host) {
    /** Copies map and list. */
    public PartSpec {
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
        plannedDevices = List.copyOf(plannedDevices);
    }
}
