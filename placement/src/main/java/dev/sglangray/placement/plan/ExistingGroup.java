/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.OrderedMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A placement group that another program made, with what is needed to plan in it.
 *
 * @param name its name
 * @param namespaceName the Ray namespace that it was made in, or null for the driver's own
 * @param bundles its bundles by index
 */
public record ExistingGroup(String name, @Nullable String namespaceName, List<Bundle> bundles) {
    /** Copies the list. */
    public ExistingGroup {
        bundles = List.copyOf(bundles);
    }

    /**
     * A bundle.
     *
     * @param nodeId Ray's id of the node that it is on
     * @param resources what it reserves, by Ray's names
     */
    public record Bundle(String nodeId, Map<String, Double> resources) {
        /** Copies the map. */
        public Bundle {
            resources = OrderedMap.copyOf(resources);
        }
    }
}
