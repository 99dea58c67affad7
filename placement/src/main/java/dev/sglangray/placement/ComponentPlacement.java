/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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
     * Reads the value of {@code cluster.component_placement}.
     *
     * @param value a mapping, as YAML gives it
     * @throws PlacementException for everything that RLinf refuses, naming the component
     */
    static ComponentPlacement parse(@Nullable Object value, Cluster cluster) {
        Map<String, Component> components = new LinkedHashMap<>();
        List<String> warnings = new ArrayList<>();
        Fields.of(value, PATH).values().forEach((key, placement) -> {
            String path = PATH + "." + key;
            Component component;
            try {
                component = component(placement, path, cluster);
            } catch (PlacementException refusal) {
                throw refusal.inside(path);
            }
            if (component.ranks().firstProcess() > 0) {
                warnings.add("%s: process ranks start at %d; they are counted from 0 instead"
                        .formatted(path, component.ranks().firstProcess()));
            }
            for (String part : key.split(",", -1)) {
                String name = PythonText.strip(part);
                if (components.put(name, component) != null) {
                    throw Fields.refusal(path, name, "the component \"%s\" is placed more than once".formatted(name));
                }
            }
        });
        return new ComponentPlacement(components, warnings);
    }

    private static Component component(@Nullable Object value, String path, Cluster cluster) {
        List<String> labels = List.of();
        Object placement = value;
        if (value instanceof Map) {
            Fields fields = Fields.of(value, path);
            if (fields.has("node_group")) {
                labels = NodeGroupLabels.parse(fields.get("node_group"));
            }
            if (!fields.has("placement")) {
                throw PlacementException.of("the key \"placement\" is missing: say which ranks, or \"all\"");
            }
            placement = fields.get("placement");
        }
        List<NodeGroupInfo> groups = cluster.requireNodeGroups(labels, "node_group");
        HardwareRankResolver resolver = new HardwareRankResolver(groups);
        RankMap ranks = RankMap.parse(placement, resolver.count(), resolver.kind());
        return new Component(ranks, strategy(ranks, resolver), labels);
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
                        .seen(ofProcess)
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
                    .seen(name)
                    .available("Components", components())
                    .fix(Suggestions.didYouMean(name, components.keySet()))
                    .build();
        }
        return component;
    }
}
