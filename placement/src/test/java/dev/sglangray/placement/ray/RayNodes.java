/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.ray;

import io.ray.api.id.UniqueId;
import io.ray.api.runtimecontext.NodeInfo;
import java.util.Map;

/** Ray's own node records for tests. */
final class RayNodes {
    private RayNodes() {}

    static UniqueId id(int index) {
        return UniqueId.fromHexString("%056x".formatted(index + 1));
    }

    static NodeInfo node(int index, boolean alive, Map<String, Double> resources, Map<String, String> labels) {
        return new NodeInfo(
                id(index), "10.0.0." + (index + 1), "host" + index, 1, "store", "raylet", alive, resources, labels);
    }
}
