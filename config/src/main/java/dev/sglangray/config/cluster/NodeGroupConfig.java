/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.cluster;

import dev.sglangray.config.RawValue;
import dev.sglangray.config.error.SourcePosition;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A labelled group of nodes: an item of {@code cluster.node_groups}, as in RLinf.
 *
 * @param label the name of the group; numbers in YAML become texts
 * @param nodeRanks the rank expression of the nodes
 * @param envConfigs software environments of some of the nodes
 * @param declaredHardware hardware that is declared; null when it is to be found out
 * @param hardwareType the declared hardware's type, or {@code hardware_type}; null when neither is given
 * @param ignoreHardware whether accelerators of these nodes do not count
 * @param position where the item was written
 */
public record NodeGroupConfig(
        String label,
        RawValue nodeRanks,
        List<NodeEnvConfig> envConfigs,
        @Nullable HardwareConfig declaredHardware,
        @Nullable String hardwareType,
        boolean ignoreHardware,
        SourcePosition position) {

    public NodeGroupConfig {
        envConfigs = List.copyOf(envConfigs);
    }

    /** Hardware that is declared, if any is. */
    public Optional<HardwareConfig> hardware() {
        return Optional.ofNullable(declaredHardware);
    }
}
