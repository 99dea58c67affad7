/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code cluster.node_groups}, by RLinf's rules. Beyond them, a group may name its nodes by
 * {@code ray_labels} or {@code ray_resource} instead of {@code node_ranks}.
 */
final class NodeGroupParser {
    private static final String PATH = "cluster.node_groups";
    private static final String RANKS = "node_ranks";
    private static final String LABELS = "ray_labels";
    private static final String RESOURCE = "ray_resource";
    private static final Set<String> GROUP_KEYS =
            Set.of("label", RANKS, LABELS, RESOURCE, "env_configs", "hardware", "hardware_type", "ignore_hardware");
    private static final Set<String> ENVIRONMENT_KEYS = Set.of(RANKS, "env_vars", "python_interpreter_path");

    private NodeGroupParser() {}

    /**
     * Reads the groups.
     *
     * @param nodeGroups the value of {@code cluster.node_groups}; null when there is none
     * @param numNodes {@code cluster.num_nodes}
     * @return the groups in order; empty when {@code nodeGroups} is null
     * @throws PlacementException for everything that RLinf refuses, naming the key
     */
    static Optional<List<NodeGroupDefinition>> parse(@Nullable Object nodeGroups, int numNodes) {
        if (nodeGroups == null) {
            return Optional.empty();
        }
        List<NodeGroupDefinition> groups = new ArrayList<>();
        Map<String, String> hardwareOwners = new HashMap<>();
        for (Fields fields : Fields.list(nodeGroups, PATH)) {
            NodeGroupDefinition group = group(fields, numNodes);
            for (int nodeRank : group.devices().keySet()) {
                String owner = hardwareOwners.putIfAbsent(nodeRank + "/" + group.hardwareType(), group.label());
                if (owner != null && !owner.equals(group.label())) {
                    throw fields.refuse(
                            "hardware",
                            "%s hardware of node rank %d is already declared by node group \"%s\""
                                    .formatted(group.hardwareType(), nodeRank, owner));
                }
            }
            groups.add(group);
        }
        return Optional.of(List.copyOf(groups));
    }

    private static NodeGroupDefinition group(Fields fields, int numNodes) {
        fields.require(List.of("label"), GROUP_KEYS);
        String label = PythonText.str(fields.get("label"));
        if (NodeGroupInfo.isReserved(label)) {
            throw fields.refuse("label", "the label \"%s\" is reserved; choose another".formatted(label));
        }
        NodeSelector selector = selector(fields, numNodes);
        @Nullable Set<Integer> ranks = selector instanceof NodeSelector.Ranks named ? named.ranks() : null;
        boolean ignoreHardware = fields.flag("ignore_hardware");
        @Nullable DeclaredHardware hardware = null;
        if (fields.get("hardware") != null) {
            hardware = DeclaredHardware.parse(fields.get("hardware"), fields.path("hardware"), ranks);
            if (fields.get("hardware_type") != null) {
                throw fields.refuse("hardware_type", "must not be given next to hardware, which has a type of its own");
            }
            if (ignoreHardware) {
                throw fields.refuse("hardware", "must not be given when ignore_hardware is true");
            }
        }
        String type = hardware != null
                ? hardware.type()
                : fields.get("hardware_type") == null ? null : PythonText.str(fields.get("hardware_type"));
        return new NodeGroupDefinition(
                label,
                selector,
                type,
                hardware == null ? Map.of() : hardware.devices(),
                ignoreHardware,
                environments(fields, ranks, numNodes));
    }

    private static NodeSelector selector(Fields fields, int numNodes) {
        List<String> given =
                List.of(RANKS, LABELS, RESOURCE).stream().filter(fields::has).toList();
        if (given.size() != 1) {
            throw Fields.refusal(
                    fields.path(),
                    given,
                    given.isEmpty()
                            ? "the key \"node_ranks\" is missing: a group names its nodes"
                            : "names its nodes in several ways: " + String.join(", ", given));
        }
        switch (given.get(0)) {
            case LABELS -> {
                Map<String, String> labels = new LinkedHashMap<>();
                Fields.of(fields.get(LABELS), fields.path(LABELS))
                        .values()
                        .forEach((key, value) -> labels.put(key, PythonText.str(value)));
                if (labels.isEmpty()) {
                    throw fields.refuse(LABELS, "names no label");
                }
                return new NodeSelector.RayLabels(labels);
            }
            case RESOURCE -> {
                if (!(fields.get(RESOURCE) instanceof String name) || name.isBlank()) {
                    throw fields.refuse(
                            RESOURCE, "must be the name of a Ray resource, not " + Fields.show(fields.get(RESOURCE)));
                }
                return new NodeSelector.RayResource(name);
            }
            default -> {
                return new NodeSelector.Ranks(new TreeSet<>(
                        ranks(fields, IntStream.range(0, numNodes).boxed().toList())));
            }
        }
    }

    private static List<Integer> ranks(Fields fields, List<Integer> available) {
        try {
            return RankExpression.parse(fields.get(RANKS), available, "node");
        } catch (PlacementException refusal) {
            throw refusal.inside(fields.path(RANKS));
        }
    }

    private static List<NodeEnvironment> environments(Fields group, @Nullable Set<Integer> ofGroup, int numNodes) {
        if (group.get("env_configs") == null) {
            return List.of();
        }
        List<NodeEnvironment> all = new ArrayList<>();
        Set<Integer> seenRanks = new HashSet<>();
        Set<String> seenVariables = new HashSet<>();
        List<Integer> available = ofGroup != null
                ? List.copyOf(new TreeSet<>(ofGroup))
                : IntStream.range(0, numNodes).boxed().toList();
        for (Fields fields : Fields.list(group.get("env_configs"), group.path("env_configs"))) {
            fields.require(List.of(RANKS), ENVIRONMENT_KEYS);
            List<Integer> ranks = ranks(fields, available);
            for (int rank : ranks) {
                if (ofGroup != null && !ofGroup.contains(rank)) {
                    throw fields.refuse(
                            RANKS,
                            "node rank %d is not one of the group's node ranks %s"
                                    .formatted(rank, RankExpression.describe(ofGroup)));
                }
                if (!seenRanks.add(rank)) {
                    throw fields.refuse(
                            RANKS, "node rank %d is in another entry of env_configs already".formatted(rank));
                }
            }
            Map<String, String> variables = variables(fields);
            for (String name : variables.keySet()) {
                if (!seenVariables.add(name)) {
                    throw fields.refuse(
                            "env_vars",
                            "the variable %s is set in another entry of env_configs already".formatted(name));
                }
            }
            Object python = fields.get("python_interpreter_path");
            all.add(new NodeEnvironment(Set.copyOf(ranks), variables, python == null ? null : PythonText.str(python)));
        }
        return all;
    }

    private static Map<String, String> variables(Fields fields) {
        Map<String, String> variables = new LinkedHashMap<>();
        if (fields.get("env_vars") == null) {
            return variables;
        }
        for (Fields entry : Fields.list(fields.get("env_vars"), fields.path("env_vars"))) {
            if (entry.values().size() != 1) {
                throw Fields.refusal(
                        entry.path(),
                        entry.values().keySet(),
                        "each entry sets one variable (\"- NAME: value\"), not "
                                + entry.values().size());
            }
            entry.values().forEach((name, value) -> {
                if (variables.put(name, PythonText.str(value)) != null) {
                    throw Fields.refusal(entry.path(), name, "the variable %s is set twice".formatted(name));
                }
            });
        }
        return variables;
    }
}
