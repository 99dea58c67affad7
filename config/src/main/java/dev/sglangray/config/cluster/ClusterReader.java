/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.cluster;

import dev.sglangray.config.Config;
import dev.sglangray.config.Fields;
import dev.sglangray.config.ProfilingCheck;
import dev.sglangray.config.RawValue;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.error.Severity;
import dev.sglangray.config.error.SourcePosition;
import java.util.ArrayList;
import java.util.List;

/** Reads the section {@code cluster}, except for node groups. Not thread-safe. */
final class ClusterReader {
    private static final List<String> KEYS = List.of("num_nodes", "component_placement", "node_groups", "profiling");
    private static final List<String> COMPONENT_KEYS = List.of("node_group", "placement");

    private final Fields fields = new Fields();

    ClusterConfig read(Config root) {
        ClusterConfig cluster = section(root);
        ConfigException.throwIfErrors(fields.problems());
        return cluster;
    }

    ClusterConfig.Checked check(Config root) {
        try {
            return new ClusterConfig.Checked(section(root), fields.problems());
        } catch (ConfigException e) {
            return new ClusterConfig.Checked(null, e.problems());
        }
    }

    private ClusterConfig section(Config root) {
        Config cluster = root.require("cluster");
        if (!cluster.isMap()) {
            throw new ConfigException(ConfigProblem.error(cluster.position(), cluster.path(), "must be a map"));
        }
        int numNodes = fields.require(cluster, "num_nodes", 1, ClusterReader::positive);
        List<ComponentConfig> components = new ArrayList<>();
        fields.attempt(() -> components.addAll(components(cluster.require("component_placement"))));
        List<NodeGroupConfig> groups = new NodeGroupReader(fields).read(cluster);
        fields.attempt(() -> ProfilingCheck.check(cluster, fields));
        checkKeys(cluster, KEYS);
        List<ConfigProblem> warnings = fields.problems().stream()
                .filter(problem -> problem.severity() == Severity.WARNING)
                .toList();
        return new ClusterConfig(numNodes, components, groups, warnings, cluster.position());
    }

    private static int positive(Config field) {
        int value = field.asInt();
        if (value < 1) {
            throw new ConfigException(
                    ConfigProblem.error(field.position(), field.path(), "must be at least 1, not " + value));
        }
        return value;
    }

    private List<ComponentConfig> components(Config placement) {
        if (!fields.isMap(placement, "must be a map of component names to ranks, such as 'rollout: all'")) {
            return List.of();
        }
        List<String> names = placement.keys();
        List<Config> entries = placement.children();
        List<ComponentConfig> components = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            Config entry = entries.get(i);
            fields.attempt(() -> components.add(component(name, entry)));
        }
        return components;
    }

    private ComponentConfig component(String name, Config entry) {
        SourcePosition position = entry.position();
        if (!entry.isMap()) {
            return new ComponentConfig(name, List.of(), RawValue.of(entry), position);
        }
        checkKeys(entry, COMPONENT_KEYS);
        RawValue ranks = RawValue.of(entry.require("placement"));
        List<String> groups =
                entry.select("node_group").map(ClusterReader::labels).orElse(List.of());
        return new ComponentConfig(name, groups, ranks, position);
    }

    /** RLinf ignores other keys here; one that looks like a slip is an error, because it would place elsewhere. */
    private void checkKeys(Config map, List<String> known) {
        List<String> keys = map.keys();
        List<Config> values = map.children();
        for (int i = 0; i < keys.size(); i++) {
            String key = keys.get(i);
            if (known.contains(key)) {
                continue;
            }
            Config value = values.get(i);
            String fix = NearestName.didYouMean(key, known);
            Severity severity = fix.isEmpty() ? Severity.WARNING : Severity.ERROR;
            String message = fix.isEmpty() ? "has no effect here" : "unknown key '" + key + "'";
            fields.add(new ConfigProblem(severity, value.position(), value.path(), message, known, fix, List.of()));
        }
    }

    private static List<String> labels(Config nodeGroup) {
        if (nodeGroup.isList()) {
            return nodeGroup.children().stream().map(Config::asString).toList();
        }
        String text = nodeGroup.asString();
        if (!text.contains(",")) {
            return List.of(text);
        }
        List<String> labels = new ArrayList<>();
        for (String label : text.split(",", -1)) {
            labels.add(label.strip());
        }
        return labels;
    }
}
