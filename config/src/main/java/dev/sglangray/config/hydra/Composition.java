/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.tree.MapNode;
import java.util.List;
import java.util.Map;

/**
 * A composed configuration.
 *
 * @param tree the result, interpolations unresolved, without the section {@code hydra}
 * @param hydra that section, inside a copy of the whole
 * @param trails for each file that a defaults list brought in, the defaults lists on the way from the file upwards
 */
public record Composition(MapNode tree, MapNode hydra, Map<String, List<String>> trails) {
    public Composition {
        trails = Map.copyOf(trails);
    }
}
