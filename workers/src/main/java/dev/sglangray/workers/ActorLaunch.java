/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One actor to create.
 *
 * @param spec its specification
 * @param bundleIndex its bundle in the placement group
 * @param node the address of the bundle's node, for messages
 * @param resources what it takes of its bundle, by Ray's names
 * @param parts the bundles of the further parts of an engine that spans nodes; empty for all others
 * @param <S> the kind of spec
 */
record ActorLaunch<S>(S spec, int bundleIndex, String node, Map<String, Double> resources, List<Bundle> parts) {
    /** Where an actor goes that needs no specification, as its creator knows it. */
    record Bundle(int index, Map<String, Double> resources) {}

    Bundle bundle() {
        return new Bundle(bundleIndex, resources);
    }

    ActorLaunch {
        parts = List.copyOf(parts);
        resources = Collections.unmodifiableMap(new LinkedHashMap<>(resources));
    }
}
