/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.strategy;

import dev.sglangray.config.Config;
import dev.sglangray.config.cluster.ClusterConfig;
import dev.sglangray.config.cluster.ComponentConfig;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.placement.Suggestions;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.cluster.NodeGroupInfo;
import dev.sglangray.placement.rank.RankExpression;
import dev.sglangray.placement.rank.RankMap;
import dev.sglangray.placement.rank.RankText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The placements of all components: RLinf's {@code cluster.component_placement}.
 *
 * <p>A key is one component name or several, joined by commas. A value is a placement ({@code "0-1:0-3,3-5"}, {@code all})
 * over the whole cluster, or a mapping of {@code node_group} and {@code placement}. Where all chosen node groups have
 * hardware the ranks are hardware ranks and the strategy is flexible; else they are nodes.
 *
 * <p>Immutable and safe for use by several threads.
 */
public final class ComponentPlacement {
    private static final String PATH = "cluster.component_placement";

    private final Map<String, Component> components;
    private final List<String> warnings;

    private record Component(RankMap ranks, PlacementStrategy strategy, List<String> nodeGroups) {}

    private ComponentPlacement(Map<String, Component> components, List<String> warnings) {
        this.components = components;
        this.warnings = List.copyOf(warnings);
    }

    /**
     * Reads the placements of a configuration.
     *
     * @param root the whole configuration
     * @throws dev.sglangray.config.error.ConfigException when the section {@code cluster} is wrong in itself
     * @throws PlacementException when a placement does not fit the cluster, naming the component
     */
    public static ComponentPlacement of(Config root, Cluster cluster) {
        return of(ClusterConfig.from(root), cluster);
    }

    /**
     * Reads the placements of a {@code cluster} section.
     *
     * @throws PlacementException when a placement does not fit the cluster, naming the component
     */
    public static ComponentPlacement of(ClusterConfig config, Cluster cluster) {
        Map<String, Component> components = new LinkedHashMap<>();
        List<String> warnings = new ArrayList<>();
        for (ComponentConfig entry : config.componentPlacement()) {
            String where = entry.name() + " (" + entry.position() + ")";
            Component component;
            try {
                component = component(entry, cluster);
            } catch (PlacementException refusal) {
                throw refusal.inside(where);
            }
            if (component.ranks().firstProcess() > 0) {
                warnings.add("%s: process ranks start at %d; they are counted from 0 instead"
                        .formatted(where, component.ranks().firstProcess()));
            }
            for (String part : entry.name().split(",", -1)) {
                String name = RankText.strip(part);
                if (components.put(name, component) != null) {
                    throw PlacementException.builder("the component \"%s\" is placed more than once".formatted(name))
                            .component(where)
                            .build();
                }
            }
        }
        return new ComponentPlacement(components, warnings);
    }

    private static Component component(ComponentConfig entry, Cluster cluster) {
        List<NodeGroupInfo> groups = cluster.requireNodeGroups(entry.nodeGroups(), "node_group");
        HardwareRankResolver resolver = new HardwareRankResolver(groups);
        RankMap ranks = RankMap.parse(entry.placement().value(), resolver.count(), resolver.kind());
        return new Component(ranks, strategy(ranks, resolver), entry.nodeGroups());
    }

    private static PlacementStrategy strategy(RankMap ranks, HardwareRankResolver resolver) {
        List<List<Integer>> resources = ranks.resourcesByProcess();
        if (resolver.allHaveHardware()) {
            return new FlexiblePlacementStrategy(resources, resolver.labels());
        }
        List<Integer> nodes = new ArrayList<>();
        for (List<Integer> ofProcess : resources) {
            if (ofProcess.size() > 1) {
                throw PlacementException.builder("is given the nodes %s: a process cannot spread over nodes"
                                .formatted(RankExpression.describe(ofProcess)))
                        .component("node placement")
                        .rank(nodes.size())
                        .build();
            }
            nodes.add(ofProcess.get(0));
        }
        return new NodePlacementStrategy(nodes, resolver.labels());
    }

    /** The component names in the order of the configuration. */
    public List<String> components() {
        return List.copyOf(components.keySet());
    }

    /**
     * All resource ranks of a component, ascending: hardware ranks within its node groups, or node ranks.
     *
     * @throws PlacementException when there is no such component
     */
    public List<Integer> getHardwareRanks(String component) {
        return require(component).ranks().resources();
    }

    /**
     * How many processes a component has.
     *
     * @throws PlacementException when there is no such component
     */
    public int getWorldSize(String component) {
        return require(component).ranks().worldSize();
    }

    /**
     * The strategy that places a component's processes.
     *
     * @throws PlacementException when there is no such component
     */
    public PlacementStrategy getStrategy(String component) {
        return require(component).strategy();
    }

    /**
     * The node groups that a component's mapping names, as written; empty when it names none.
     *
     * @throws PlacementException when there is no such component
     */
    public List<String> getNodeGroups(String component) {
        return require(component).nodeGroups();
    }

    /** What a user should know; empty when there is nothing. */
    public List<String> warnings() {
        return warnings;
    }

    private Component require(String name) {
        Component component = components.get(name);
        if (component == null) {
            throw PlacementException.builder("there is no component \"%s\"".formatted(name))
                    .component(PATH)
                    .available("Components", components())
                    .fix(Suggestions.didYouMean(name, components.keySet()))
                    .build();
        }
        return component;
    }
}
