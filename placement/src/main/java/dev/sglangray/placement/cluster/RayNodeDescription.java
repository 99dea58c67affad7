/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.placement.PlacementException;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What Ray's resources and labels of a node say about it.
 *
 * <p>Accelerators are what Ray counts as {@code GPU}, {@code NPU}, {@code MUSA_GPU} or {@code KUNLUN_XPU}, their model is
 * what Ray names in {@code accelerator_type:...} or in its own label. A node's rank is the
 * custom resource {@code node_rank:N} (any Ray version) or the label {@code sglang_ray.node_rank}.
 *
 * <p>Stateless; safe for use by several threads.
 */
public final class RayNodeDescription {
    /** The custom resource, followed by the rank, that ranks a node. */
    public static final String RANK_RESOURCE = "node_rank:";

    /** The Ray label that ranks a node. */
    public static final String RANK_LABEL = "sglang_ray.node_rank";

    private static final String MODEL_RESOURCE = "accelerator_type:";
    private static final String MODEL_LABEL = "ray.io/accelerator-type";

    private RayNodeDescription() {}

    /**
     * The node that Ray describes so.
     *
     * @throws PlacementException when its rank cannot be read
     */
    public static NodeSnapshot snapshot(
            String nodeId, String ip, String hostname, Map<String, String> labels, Map<String, Double> resources) {
        String model = model(resources, labels);
        AcceleratorType type = type(resources, model);
        int accelerators = type == AcceleratorType.NO_ACCEL
                ? 0
                : resources.getOrDefault(type.rayResource(), 0.0).intValue();
        return new NodeSnapshot(
                nodeId,
                ip,
                hostname,
                labels,
                resources,
                accelerators,
                type,
                type == AcceleratorType.NO_ACCEL ? "" : model,
                rank(ip, resources, labels));
    }

    private static String model(Map<String, Double> resources, Map<String, String> labels) {
        return resources.keySet().stream()
                .filter(name -> name.startsWith(MODEL_RESOURCE))
                .map(name -> name.substring(MODEL_RESOURCE.length()))
                .sorted()
                .findFirst()
                .orElse(labels.getOrDefault(MODEL_LABEL, ""));
    }

    private static AcceleratorType type(Map<String, Double> resources, String model) {
        for (AcceleratorType type : AcceleratorType.values()) {
            boolean shared = type == AcceleratorType.AMD_GPU || type == AcceleratorType.INTEL_GPU;
            if (!shared && resources.getOrDefault(type.rayResource(), 0.0) >= 1) {
                return type == AcceleratorType.NV_GPU ? gpuMaker(model) : type;
            }
        }
        return AcceleratorType.NO_ACCEL;
    }

    // Ray counts the GPUs of all makers as one resource; its names of models begin with the maker, except NVIDIA's.
    private static AcceleratorType gpuMaker(String model) {
        String name = model.toUpperCase(Locale.ROOT);
        if (name.startsWith("AMD")) {
            return AcceleratorType.AMD_GPU;
        }
        return name.startsWith("INTEL") ? AcceleratorType.INTEL_GPU : AcceleratorType.NV_GPU;
    }

    private static @Nullable Integer rank(String ip, Map<String, Double> resources, Map<String, String> labels) {
        Set<String> texts = Stream.concat(
                        resources.entrySet().stream()
                                .filter(entry -> entry.getKey().startsWith(RANK_RESOURCE) && entry.getValue() > 0)
                                .map(entry -> entry.getKey().substring(RANK_RESOURCE.length())),
                        Stream.ofNullable(labels.get(RANK_LABEL)))
                .map(String::strip)
                .collect(Collectors.toCollection(TreeSet::new));
        if (texts.size() > 1) {
            throw PlacementException.builder(
                            "node %s was given several ranks: %s".formatted(ip, String.join(", ", texts)))
                    .component("cluster")
                    .fix("Give one, as resource %sN or as label %s.".formatted(RANK_RESOURCE, RANK_LABEL))
                    .build();
        }
        return NodeSnapshot.parseRank(texts.stream().findFirst().orElse(null), "node " + ip);
    }
}
