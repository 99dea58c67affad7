/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.plan;

import dev.sglangray.placement.OrderedMap;
import java.util.Map;

/**
 * One bundle of the fleet's placement group.
 *
 * @param index its index in the placement group
 * @param nodeIp the node it is pinned to
 * @param resources what it reserves, by Ray's names, the pin included
 */
public record BundlePlan(int index, String nodeIp, Map<String, Double> resources) {
    /** How much of Ray's {@code node:<ip>} resource pins a bundle to its node. */
    public static final double PIN = 0.001;

    /** Copies the map. */
    public BundlePlan {
        resources = OrderedMap.copyOf(resources);
    }
}
