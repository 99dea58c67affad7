/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.Suggestions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A cluster with ranked nodes and resolved node groups: what placements are computed from.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class Cluster {
    private final List<NodeInfo> nodes;
    /** How many of the nodes were there at first; the others joined since. */
    private final int launched;

    private final Map<String, NodeGroupInfo> groups;
    private final List<String> warnings;
    private final List<NodeGroupDefinition> definitions;

    private Cluster(
            List<NodeInfo> nodes,
            int launched,
            Map<String, NodeGroupInfo> groups,
            List<NodeGroupDefinition> definitions,
            List<String> warnings) {
        this.nodes = List.copyOf(nodes);
        this.launched = launched;
        this.groups = groups;
        this.definitions = List.copyOf(definitions);
        this.warnings = List.copyOf(warnings);
    }

    /**
     * Ranks the nodes of a snapshot and resolves the configured node groups, by RLinf's rules.
     *
     * @param config the {@code cluster} section; nodes beyond its {@code num_nodes} are left out with a warning
     * @param snapshot the Ray cluster
     * @throws PlacementException when nodes are missing, their ranks do not fit, or a node group does not fit them
     */
    public static Cluster of(ClusterConfig config, ClusterSnapshot snapshot) {
        NodeRanks.requireEnough(snapshot, config.numNodes());
        Cluster cluster = of(config.numNodes(), NodeGroupBinder.bind(config.nodeGroups(), config.numNodes()), snapshot);
        List<String> warnings = new ArrayList<>();
        config.warnings().forEach(problem -> warnings.add(problem.render()));
        warnings.addAll(cluster.warnings);
        return new Cluster(cluster.nodes, cluster.launched, cluster.groups, cluster.definitions, warnings);
    }

    /**
     * Ranks the nodes of a snapshot and resolves node groups that a program describes.
     *
     * @param numNodes how many nodes to use, 1 or more; further nodes are left out with a warning
     * @param definitions the node groups
     * @param snapshot the Ray cluster
     * @throws PlacementException when nodes are missing, their ranks do not fit, or group labels repeat
     */
    public static Cluster of(int numNodes, List<NodeGroupDefinition> definitions, ClusterSnapshot snapshot) {
        boolean byRank = definitions.stream().anyMatch(group -> group.nodes() instanceof NodeSelector.Ranks);
        if (byRank && NodeRanks.given(snapshot).stream().anyMatch(node -> node.rank() == null)) {
            throw PlacementException.builder(
                            "node groups name nodes by rank, but not every node was started with a rank")
                    .component("cluster.node_groups")
                    .available("Nodes", NodeTable.lines(snapshot))
                    .fix("Start each node with its rank: ray start ... --resources='{\"node_rank:N\": 1}'"
                            + " (or --labels=sglang_ray.node_rank=N where Ray has labels).")
                    .build();
        }
        List<String> warnings = new ArrayList<>();
        List<NodeSnapshot> ordered = NodeRanks.assign(snapshot, numNodes, warnings);
        return of(ordered, ordered.size(), definitions, warnings);
    }

    /**
     * A cluster as it was known before, with its ranks.
     *
     * @param nodes its nodes by rank
     * @param launched {@link #launched()} of it
     */
    public static Cluster known(ClusterConfig config, List<NodeSnapshot> nodes, int launched) {
        return of(nodes, launched, NodeGroupBinder.bind(config.nodeGroups(), config.numNodes()), List.of());
    }

    private static Cluster of(
            List<NodeSnapshot> ordered, int launched, List<NodeGroupDefinition> definitions, List<String> warnings) {
        List<String> all = new ArrayList<>(warnings);
        List<Integer> names = names(ordered, launched);
        Map<Integer, List<Integer>> byName =
                IntStream.range(0, ordered.size()).boxed().collect(Collectors.groupingBy(names::get));
        List<List<Integer>> members = new ArrayList<>();
        for (NodeGroupDefinition definition : definitions) {
            List<Integer> found = members(definition, ordered, names, byName);
            members.add(found);
            if (found.isEmpty()) {
                all.add("node group \"%s\" has no nodes: none has %s"
                        .formatted(definition.label(), definition.nodes()));
            }
        }
        List<NodeInfo> nodes = nodes(ordered, names, definitions, members);
        return new Cluster(nodes, launched, groups(nodes, definitions, members), definitions, all);
    }

    /**
     * The ranks by which node groups name the nodes. A node that joined after the launch has its place at the end, but it
     * belongs to the groups of the rank that it was started with: so a replacement serves where the lost node did.
     */
    private static List<Integer> names(List<NodeSnapshot> ordered, int launched) {
        return IntStream.range(0, ordered.size())
                .mapToObj(rank -> {
                    Integer given = ordered.get(rank).envNodeRank();
                    return rank < launched || given == null || given < 0 ? Integer.valueOf(rank) : given;
                })
                .toList();
    }

    /** The ranks of a group's nodes, ascending; groups by rank need not look at every node. */
    private static List<Integer> members(
            NodeGroupDefinition group,
            List<NodeSnapshot> nodes,
            List<Integer> names,
            Map<Integer, List<Integer>> byName) {
        if (group.nodes() instanceof NodeSelector.Ranks named) {
            return named.ranks().stream()
                    .flatMap(name -> byName.getOrDefault(name, List.of()).stream())
                    .sorted()
                    .toList();
        }
        return IntStream.range(0, nodes.size())
                .filter(rank -> group.nodes().matches(names.get(rank), nodes.get(rank)))
                .boxed()
                .toList();
    }

    /** Whether every node of a snapshot is one of this cluster's, and has not been started again since. */
    public boolean hasAll(ClusterSnapshot snapshot) {
        Set<String> known = nodes.stream().map(node -> node.snapshot().nodeId()).collect(Collectors.toSet());
        return snapshot.nodes().stream().allMatch(node -> known.contains(node.nodeId()));
    }

    /**
     * This cluster with the nodes that joined it since. Ranks keep their meaning as long as a fleet lives: a known node keeps
     * its rank, also while it is gone; it is known by its id, or by its address when it was started again. All others get
     * the next ranks, in the order of the snapshot.
     *
     * @param snapshot the Ray cluster as it is now
     */
    public Cluster widened(ClusterSnapshot snapshot) {
        Map<String, NodeSnapshot> joined = new LinkedHashMap<>();
        snapshot.nodes().forEach(node -> joined.put(node.nodeId(), node));
        List<@Nullable NodeSnapshot> same = new ArrayList<>();
        nodes.forEach(node -> same.add(joined.remove(node.snapshot().nodeId())));
        List<NodeSnapshot> ordered = new ArrayList<>();
        for (NodeInfo node : nodes) {
            NodeSnapshot now = same.get(node.rank());
            ordered.add(now != null ? now : startedAgain(node, joined));
        }
        ordered.addAll(joined.values());
        return of(ordered, launched, definitions, List.of());
    }

    /** What joined at the address of a node that is gone, and is taken for it; else the node as it was. */
    private static NodeSnapshot startedAgain(NodeInfo gone, Map<String, NodeSnapshot> joined) {
        return joined.values().stream()
                .filter(node -> node.ip().equals(gone.ip()))
                .findFirst()
                .map(node -> joined.remove(node.nodeId()))
                .orElse(gone.snapshot());
    }

    private static List<NodeInfo> nodes(
            List<NodeSnapshot> snapshots,
            List<Integer> names,
            List<NodeGroupDefinition> definitions,
            List<List<Integer>> members) {
        List<List<String>> labels = new ArrayList<>();
        List<Map<String, Integer>> hardware = new ArrayList<>();
        for (NodeSnapshot snapshot : snapshots) {
            labels.add(new ArrayList<>(1));
            Map<String, Integer> own = new LinkedHashMap<>();
            if (snapshot.accelerators() > 0) {
                own.put(NodeInfo.ACCELERATOR, snapshot.accelerators());
            }
            hardware.add(own);
        }
        for (int i = 0; i < definitions.size(); i++) {
            for (int rank : members.get(i)) {
                labels.get(rank).add(definitions.get(i).label());
                addHardware(definitions.get(i), names.get(rank), snapshots.get(rank), hardware.get(rank));
            }
        }
        List<NodeInfo> nodes = new ArrayList<>();
        for (int rank = 0; rank < snapshots.size(); rank++) {
            nodes.add(new NodeInfo(rank, snapshots.get(rank), labels.get(rank), hardware.get(rank)));
        }
        return nodes;
    }

    private static void addHardware(
            NodeGroupDefinition group, int rank, NodeSnapshot snapshot, Map<String, Integer> hardware) {
        String type = group.hardwareType();
        int declared = group.devices().getOrDefault(rank, 0);
        if (type != null && declared > 0) {
            hardware.merge(type, declared, Integer::sum);
        } else if (type != null && group.devices().isEmpty()) {
            int counted = snapshot.resources().getOrDefault(type, 0.0).intValue();
            if (counted > 0) {
                hardware.putIfAbsent(type, counted);
            }
        }
    }

    private static Map<String, NodeGroupInfo> groups(
            List<NodeInfo> nodes, List<NodeGroupDefinition> definitions, List<List<Integer>> members) {
        Map<String, NodeGroupInfo> groups = new LinkedHashMap<>();
        for (int i = 0; i < definitions.size(); i++) {
            NodeGroupDefinition definition = definitions.get(i);
            if (!members.get(i).isEmpty()) {
                add(
                        groups,
                        new NodeGroupInfo(
                                definition.label(),
                                members.get(i).stream().map(nodes::get).toList(),
                                definition.hardwareType(),
                                definition.ignoreHardware(),
                                definition.environments()));
            }
        }
        add(groups, new NodeGroupInfo(NodeGroupInfo.CLUSTER, nodes, null, false, List.of()));
        add(groups, new NodeGroupInfo(NodeGroupInfo.NODE, nodes, null, true, List.of()));
        return groups;
    }

    private static void add(Map<String, NodeGroupInfo> groups, NodeGroupInfo group) {
        if (groups.putIfAbsent(group.label(), group) != null) {
            throw PlacementException.builder(
                            "the label \"%s\" is given to more than one node group".formatted(group.label()))
                    .component("cluster.node_groups")
                    .build();
        }
    }

    /** How many nodes there were at first; those of higher ranks joined since. */
    public int launched() {
        return launched;
    }

    /** The nodes in use; the node at index i has rank i. */
    public List<NodeInfo> nodes() {
        return nodes;
    }

    /**
     * The node with a rank.
     *
     * @throws PlacementException when there is none
     */
    public NodeInfo node(int rank) {
        if (rank < 0 || rank >= nodes.size()) {
            throw PlacementException.builder(
                            "there is no node of rank %d; ranks run from 0 to %d".formatted(rank, nodes.size() - 1))
                    .available("Nodes", NodeTable.lines(this))
                    .build();
        }
        return nodes.get(rank);
    }

    /** The type of the hardware that a process was given; empty for node placements. */
    public Optional<String> hardwareType(Placement placement) {
        return placement.localHardwareRanks().isEmpty()
                ? Optional.empty()
                : nodeGroup(placement.nodeGroupLabel()).flatMap(NodeGroupInfo::hardwareType);
    }

    /** Whether a process was given accelerators, and not other hardware or a node. */
    public boolean onAccelerators(Placement placement) {
        return hardwareType(placement)
                .filter(node(placement.clusterNodeRank())::isAccelerator)
                .isPresent();
    }

    /** How many accelerators the nodes have together. */
    public int accelerators() {
        return nodes.stream().mapToInt(NodeInfo::accelerators).sum();
    }

    /** The node groups: the configured ones that have nodes, in their order, then {@code cluster} and {@code node}. */
    public List<NodeGroupInfo> nodeGroups() {
        return List.copyOf(groups.values());
    }

    /** The node group with a label; {@code cluster} and {@code node} always exist. */
    public Optional<NodeGroupInfo> nodeGroup(String label) {
        return Optional.ofNullable(groups.get(label));
    }

    /**
     * The node groups with these labels, in this order; {@code cluster} for none.
     *
     * @param component what asks for them, for the message
     * @throws PlacementException when a label has no node group or is there twice
     */
    public List<NodeGroupInfo> requireNodeGroups(List<String> labels, String component) {
        Map<String, NodeGroupInfo> found = new LinkedHashMap<>();
        for (String label : labels.isEmpty() ? List.of(NodeGroupInfo.CLUSTER) : labels) {
            NodeGroupInfo group = groups.get(label);
            if (group == null) {
                throw PlacementException.builder("no node has the node group label \"%s\"".formatted(label))
                        .component(component)
                        .available(
                                "Node groups",
                                groups.values().stream()
                                        .map(NodeGroupInfo::toString)
                                        .toList())
                        .fix(warnings.stream()
                                .filter(warning -> warning.startsWith("node group \"" + label + "\" has no nodes"))
                                .findFirst()
                                .map(warning -> warning + ".")
                                .orElse(Suggestions.didYouMean(label, groups.keySet())))
                        .build();
            }
            if (found.put(label, group) != null) {
                throw PlacementException.builder(
                                "the node group \"%s\" is named twice, which would give its hardware out twice"
                                        .formatted(label))
                        .component(component)
                        .build();
            }
        }
        return List.copyOf(found.values());
    }

    /** What a user should know about this cluster; empty when there is nothing. */
    public List<String> warnings() {
        return warnings;
    }
}
