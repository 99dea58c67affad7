/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.cluster;

import dev.sglangray.config.error.SourcePosition;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Hardware that a node group declares, such as robots, as in RLinf.
 *
 * @param type the kind of hardware, one of {@link #TYPES} or one that a fork of RLinf has
 * @param units one item for each piece of hardware
 * @param position where it was written
 */
public record HardwareConfig(String type, List<Unit> units, SourcePosition position) {

    /** The kinds that RLinf knows. */
    public static final List<String> TYPES = List.of("DOSW1", "DualFranka", "Franka", "GimArm", "Turtle2");

    public HardwareConfig {
        units = List.copyOf(units);
    }

    /**
     * A piece of hardware.
     *
     * @param nodeRank the node that has it
     * @param settings all its settings, {@code node_rank} included, in the order written
     * @param position where it was written
     */
    public record Unit(int nodeRank, Map<String, @Nullable Object> settings, SourcePosition position) {

        public Unit {
            settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
        }
    }
}
