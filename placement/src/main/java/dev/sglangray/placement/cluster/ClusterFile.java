/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.config.Config;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/**
 * A cluster described in a YAML or JSON file, to plan for one that is not there: a list {@code nodes} and, optionally, the
 * address of the {@code head}, which is the first node unless given. The fields of a node are those of {@link ClusterFileNode}.
 *
 * <p>Stateless; safe for use by several threads.
 */
public final class ClusterFile {
    private static final String COMMENT = """
            # A cluster, as sglang-ray plan --cluster FILE reads it.
            """;

    private ClusterFile() {}

    /**
     * Reads a file.
     *
     * @throws dev.sglangray.config.error.ConfigException with the place of everything that is wrong in it
     */
    public static ClusterSnapshot read(Path file) {
        return read(Config.read(file));
    }

    /**
     * Reads a description.
     *
     * @throws dev.sglangray.config.error.ConfigException with the place of everything that is wrong in it
     */
    public static ClusterSnapshot read(Config description) {
        return new ClusterFileReader().read(description);
    }

    /** The description of a cluster as YAML, with a comment above. {@link #read(Path)} of it gives the same nodes. */
    public static String write(ClusterSnapshot snapshot) {
        Map<String, Object> file = new LinkedHashMap<>();
        snapshot.nodes().stream()
                .filter(node -> node.nodeId().equals(snapshot.headNodeId()))
                .findFirst()
                .ifPresent(head -> file.put("head", head.ip()));
        List<Map<String, Object>> nodes = new ArrayList<>();
        snapshot.nodes().forEach(node -> nodes.add(describe(node)));
        file.put("nodes", nodes);
        DumperOptions options = new DumperOptions();
        options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        options.setWidth(Integer.MAX_VALUE);
        return COMMENT + new Yaml(options).dump(file);
    }

    private static Map<String, Object> describe(NodeSnapshot node) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("ip", node.ip());
        map.put("id", node.nodeId());
        put(map, "hostname", node.hostname().isEmpty() ? null : node.hostname());
        put(map, "rank", node.envNodeRank());
        if (node.accelerators() > 0) {
            map.put("accelerators", node.accelerators());
            map.put("accelerator_type", node.acceleratorType().name());
            put(map, "accelerator_model", node.acceleratorModel().isEmpty() ? null : node.acceleratorModel());
        }
        Map<String, Object> resources = new LinkedHashMap<>(node.resources());
        resources.remove("node:" + node.ip());
        put(map, "resources", resources.isEmpty() ? null : resources);
        put(map, "labels", node.labels().isEmpty() ? null : new LinkedHashMap<>(node.labels()));
        return map;
    }

    private static void put(Map<String, Object> map, String key, @Nullable Object value) {
        if (value != null) {
            map.put(key, value);
        }
    }
}
