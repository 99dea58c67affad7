/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.config.RawValue;
import dev.sglangray.config.cluster.HardwareConfig;
import dev.sglangray.config.cluster.NodeEnvConfig;
import dev.sglangray.config.cluster.NodeGroupConfig;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.rank.RankExpression;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Gives configured node groups their meaning, by RLinf's rules. Beyond them, {@code node_ranks} may be a mapping with
 * {@code ray_labels} or {@code ray_resource}, which chooses nodes by what they were started with.
 */
final class NodeGroupBinder {
    private static final String LABELS = "ray_labels";
    private static final String RESOURCE = "ray_resource";

    private NodeGroupBinder() {}

    /**
     * Binds the groups.
     *
     * @param numNodes {@code cluster.num_nodes}
     * @throws PlacementException for ranks that do not exist or overlap, and for hardware declared in two groups
     */
    static List<NodeGroupDefinition> bind(List<NodeGroupConfig> configs, int numNodes) {
        RankExpression.Known all = RankExpression.Known.upTo(numNodes);
        List<NodeGroupDefinition> groups = new ArrayList<>();
        Map<String, String> hardwareOwners = new HashMap<>();
        for (NodeGroupConfig config : configs) {
            NodeGroupDefinition group;
            try {
                group = group(config, all);
            } catch (PlacementException refusal) {
                throw refusal.inside("node group \"" + config.label() + "\"");
            }
            for (int nodeRank : group.devices().keySet()) {
                String owner = hardwareOwners.putIfAbsent(nodeRank + "/" + group.hardwareType(), group.label());
                if (owner != null && !owner.equals(group.label())) {
                    throw PlacementException.builder(
                                    "%s hardware of node rank %d is already declared by node group \"%s\""
                                            .formatted(group.hardwareType(), nodeRank, owner))
                            .component("node group \"" + config.label() + "\" (" + config.position() + ")")
                            .build();
                }
            }
            groups.add(group);
        }
        return List.copyOf(groups);
    }

    private static NodeGroupDefinition group(NodeGroupConfig config, RankExpression.Known all) {
        NodeSelector selector = selector(config.nodeRanks(), all);
        @Nullable Set<Integer> ranks = selector instanceof NodeSelector.Ranks named ? named.ranks() : null;
        @Nullable HardwareConfig hardware = config.declaredHardware();
        return new NodeGroupDefinition(
                config.label(),
                selector,
                config.hardwareType(),
                hardware == null ? Map.of() : DeclaredHardware.count(hardware, ranks),
                config.ignoreHardware(),
                environments(config.envConfigs(), ranks, all));
    }

    private static NodeSelector selector(RawValue nodeRanks, RankExpression.Known all) {
        if (nodeRanks.value() instanceof Map<?, ?> mapping) {
            return selector(nodeRanks, mapping);
        }
        return new NodeSelector.Ranks(new TreeSet<>(ranks(nodeRanks, all)));
    }

    private static NodeSelector selector(RawValue at, Map<?, ?> mapping) {
        List<NodeSelector> selectors = new ArrayList<>();
        for (Map.Entry<?, ?> entry : mapping.entrySet()) {
            Object value = entry.getValue();
            if (RESOURCE.equals(entry.getKey()) && value instanceof String name && !name.isBlank()) {
                selectors.add(new NodeSelector.RayResource(name));
            } else if (LABELS.equals(entry.getKey()) && (value instanceof Map || value instanceof String)) {
                try {
                    selectors.add(NodeSelector.rayLabels(value));
                } catch (PlacementException refusal) {
                    throw refusal.inside(where(at));
                }
            } else {
                selectors.clear();
                break;
            }
        }
        if (!selectors.isEmpty()) {
            return selectors.size() == 1 ? selectors.get(0) : new NodeSelector.All(selectors);
        }
        throw PlacementException.builder(
                        "node_ranks as a mapping has ray_labels (a selector), ray_resource (a name) or both, not "
                                + PythonText.str(mapping))
                .component(where(at))
                .build();
    }

    private static List<Integer> ranks(RawValue value, RankExpression.Known available) {
        try {
            return RankExpression.within(value.value(), available, "node");
        } catch (PlacementException refusal) {
            throw refusal.inside(where(value));
        }
    }

    static String where(RawValue value) {
        return value.key() + " (" + value.position() + ")";
    }

    private static List<NodeEnvironment> environments(
            List<NodeEnvConfig> configs, @Nullable Set<Integer> ofGroup, RankExpression.Known all) {
        List<NodeEnvironment> environments = new ArrayList<>();
        Set<Integer> seen = new HashSet<>();
        RankExpression.Known available = ofGroup == null ? all : RankExpression.Known.of(ofGroup);
        for (NodeEnvConfig config : configs) {
            List<Integer> ranks = ranks(config.nodeRanks(), available);
            for (int rank : ranks) {
                if (ofGroup != null && !ofGroup.contains(rank)) {
                    throw refusal(
                            config.nodeRanks(),
                            "node rank %d is not one of the group's node ranks %s"
                                    .formatted(rank, RankExpression.describe(ofGroup)));
                }
                if (!seen.add(rank)) {
                    throw refusal(
                            config.nodeRanks(), "node rank %d is in an earlier entry of env_configs".formatted(rank));
                }
            }
            environments.add(new NodeEnvironment(Set.copyOf(ranks), config.envVars(), config.pythonInterpreterPath()));
        }
        return environments;
    }

    private static PlacementException refusal(RawValue value, String message) {
        return PlacementException.builder(message).component(where(value)).build();
    }
}
