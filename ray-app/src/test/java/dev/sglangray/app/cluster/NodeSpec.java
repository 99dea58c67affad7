/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one node of a test cluster declares to Ray.
 *
 * @param cpus CPUs that the node claims to have; more than the machine has is fine
 * @param gpus accelerators that the node claims to have, 0 or more
 * @param resources custom resources, by name
 * @param labels Ray's node labels; Ray 2.39 has no such option, so only for newer versions
 * @param environment variables for the node's Ray processes
 */
public record NodeSpec(
        int cpus,
        int gpus,
        Map<String, Double> resources,
        Map<String, String> labels,
        Map<String, String> environment) {

    public NodeSpec {
        resources = Map.copyOf(resources);
        labels = Map.copyOf(labels);
        environment = Map.copyOf(environment);
    }

    /** A node of 16 CPUs and as many accelerators as given. */
    public static NodeSpec gpus(int gpus) {
        return new NodeSpec(16, gpus, Map.of(), Map.of(), Map.of());
    }

    /** A node whose real engines compute on the machine's processor, whatever the node claims to have. */
    public static NodeSpec onProcessor(int gpus) {
        return gpus(gpus).withEnvironment("SGLANG_RAY_DEVICE", "cpu");
    }

    public NodeSpec withResource(String name, double amount) {
        return new NodeSpec(cpus, gpus, plus(resources, name, amount), labels, environment);
    }

    public NodeSpec withLabel(String key, String value) {
        return new NodeSpec(cpus, gpus, resources, plus(labels, key, value), environment);
    }

    public NodeSpec withEnvironment(String name, String value) {
        return new NodeSpec(cpus, gpus, resources, labels, plus(environment, name, value));
    }

    private static <V> Map<String, V> plus(Map<String, V> map, String key, V value) {
        Map<String, V> copy = new LinkedHashMap<>(map);
        copy.put(key, value);
        return copy;
    }
}
