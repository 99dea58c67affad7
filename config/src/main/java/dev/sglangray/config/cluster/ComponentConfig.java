/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.cluster;

import dev.sglangray.config.RawValue;
import dev.sglangray.config.error.SourcePosition;
import java.util.List;

/**
 * Where a component is placed: an entry of {@code cluster.component_placement}, as in RLinf.
 *
 * @param name the key as written; it may name several components, separated by commas
 * @param nodeGroups the labels of {@code node_group}, a text or a list there; empty when it is not given
 * @param placement the rank expression: the entry itself, or its {@code placement}
 * @param position where the entry was written
 */
public record ComponentConfig(String name, List<String> nodeGroups, RawValue placement, SourcePosition position) {

    public ComponentConfig {
        nodeGroups = List.copyOf(nodeGroups);
    }
}
