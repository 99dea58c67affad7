/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.cluster;

import dev.sglangray.config.Config;
import dev.sglangray.config.Fields;
import dev.sglangray.config.RawValue;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.error.Severity;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.tree.PythonText;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads {@code cluster.node_groups}. Not thread-safe. */
final class NodeGroupReader {
    private static final List<String> GROUP_KEYS =
            List.of("label", "node_ranks", "env_configs", "hardware", "hardware_type", "ignore_hardware");
    private static final List<String> ENV_KEYS = List.of("node_ranks", "env_vars", "python_interpreter_path");
    private static final List<String> HARDWARE_KEYS = List.of("type", "configs");
    private static final List<String> RESERVED_LABELS = List.of("cluster", "node");

    private final Fields fields;

    NodeGroupReader(Fields fields) {
        this.fields = fields;
    }

    List<NodeGroupConfig> read(Config cluster) {
        List<NodeGroupConfig> groups = new ArrayList<>();
        Map<String, SourcePosition> labels = new HashMap<>();
        for (Config item : fields.items(cluster, "node_groups", "write '-' before each group")) {
            fields.attempt(() -> {
                if (fields.isMap(item, "must be a map with label and node_ranks")) {
                    NodeGroupConfig group = group(item);
                    checkLabel(item, group.label(), labels);
                    groups.add(group);
                }
            });
        }
        return groups;
    }

    private void checkLabel(Config item, String label, Map<String, SourcePosition> seen) {
        Config field = item.select("label").orElse(item);
        if (RESERVED_LABELS.contains(label)) {
            fields.add(ConfigProblem.error(field.position(), field.path(), "the label '" + label + "' is reserved")
                    .withFix("choose another label; 'node' and 'cluster' stand for all nodes"));
        }
        SourcePosition first = seen.putIfAbsent(label, field.position());
        if (first != null && !label.isEmpty()) {
            fields.add(ConfigProblem.error(
                    field.position(), field.path(), "the label '" + label + "' is already taken at " + first));
        }
    }

    private NodeGroupConfig group(Config item) {
        fields.onlyKnown(item, GROUP_KEYS);
        String label = fields.require(item, "label", "", Config::asString);
        RawValue ranks = fields.require(item, "node_ranks", RawValue.of(item), RawValue::of);
        List<NodeEnvConfig> environments = environments(item);
        boolean ignore = fields.bool(item, "ignore_hardware", false);
        @Nullable HardwareConfig hardware = hardware(item);
        String type = fields.read(item, "hardware_type", "", Config::asString);
        if (hardware != null && ignore) {
            fields.add(problem(item, "hardware", "cannot be given together with ignore_hardware"));
        }
        if (hardware != null && !type.isEmpty()) {
            fields.add(problem(item, "hardware_type", "cannot be given together with hardware"));
        }
        String effectiveType = hardware != null ? hardware.type() : type;
        return new NodeGroupConfig(
                label,
                ranks,
                environments,
                hardware,
                effectiveType.isEmpty() ? null : effectiveType,
                ignore,
                item.position());
    }

    private static ConfigProblem problem(Config item, String key, String message) {
        Config field = item.select(key).orElse(item);
        return ConfigProblem.error(field.position(), field.path(), message);
    }

    private List<NodeEnvConfig> environments(Config group) {
        List<NodeEnvConfig> environments = new ArrayList<>();
        Map<String, SourcePosition> variables = new HashMap<>();
        for (Config item : fields.items(group, "env_configs", "write '-' before each node_ranks")) {
            fields.attempt(() -> {
                if (fields.isMap(item, "must be a map with node_ranks")) {
                    fields.onlyKnown(item, ENV_KEYS);
                    RawValue ranks = fields.require(item, "node_ranks", RawValue.of(item), RawValue::of);
                    String python = fields.read(item, "python_interpreter_path", "", Config::asString);
                    environments.add(new NodeEnvConfig(
                            ranks, variables(item, variables), python.isEmpty() ? null : python, item.position()));
                }
            });
        }
        return environments;
    }

    private Map<String, String> variables(Config environment, Map<String, SourcePosition> seen) {
        Map<String, String> variables = new LinkedHashMap<>();
        for (Config item : fields.items(environment, "env_vars", "write '-' before each variable")) {
            if (!item.isMap() || item.keys().size() != 1) {
                fields.add(ConfigProblem.error(item.position(), item.path(), "must be one 'NAME: value'")
                        .withFix("write '-' before each variable"));
                continue;
            }
            String name = item.keys().get(0);
            Config value = item.children().get(0);
            if (name.isEmpty() || name.contains("=") || name.chars().anyMatch(Character::isISOControl)) {
                fields.add(ConfigProblem.error(
                        value.position(),
                        value.path(),
                        "'" + name
                                + "' cannot be the name of an environment variable: it must be a text without '=' and"
                                + " line ends, and not empty"));
                continue;
            }
            SourcePosition first = seen.putIfAbsent(name, value.position());
            if (first != null) {
                fields.add(ConfigProblem.error(
                        value.position(), value.path(), "the variable is already set in this node group, at " + first));
            }
            fields.attempt(() -> variables.put(name, PythonText.str(value.value())));
        }
        return variables;
    }

    private @Nullable HardwareConfig hardware(Config group) {
        Config hardware = group.select("hardware").filter(h -> !h.isNull()).orElse(null);
        if (hardware == null || !fields.isMap(hardware, "must be a map with type and configs")) {
            return null;
        }
        fields.onlyKnown(hardware, HARDWARE_KEYS);
        String type = fields.require(hardware, "type", "", Config::asString);
        if (!type.isEmpty() && !HardwareConfig.TYPES.contains(type)) {
            fields.add(unknownType(hardware.require("type"), type));
        }
        fields.attempt(() -> hardware.require("configs"));
        List<HardwareConfig.Unit> units = new ArrayList<>();
        for (Config item : fields.items(hardware, "configs", "write '-' before each piece of hardware")) {
            fields.attempt(() -> {
                if (fields.isMap(item, "must be a map with node_rank")) {
                    units.add(new HardwareConfig.Unit(
                            item.require("node_rank").asInt(), settings(item), item.position()));
                }
            });
        }
        return new HardwareConfig(type, units, hardware.position());
    }

    /** Forks of RLinf register robots of their own; what is nearly one of RLinf's, and not another model of it, is a slip. */
    private static ConfigProblem unknownType(Config field, String type) {
        String nearest = NearestName.nearest(type, HardwareConfig.TYPES).orElse("");
        boolean slip = nearest.equalsIgnoreCase(type)
                || (!nearest.isEmpty() && !withoutDigits(nearest).equalsIgnoreCase(withoutDigits(type)));
        String message = "unknown hardware type '" + type + "'";
        return new ConfigProblem(
                slip ? Severity.ERROR : Severity.WARNING,
                field.position(),
                field.path(),
                slip ? message : message + ": its pieces are counted, and their settings are not checked",
                HardwareConfig.TYPES,
                NearestName.didYouMean(type, HardwareConfig.TYPES),
                List.of());
    }

    private static String withoutDigits(String name) {
        return name.replaceAll("[0-9]", "");
    }

    private static Map<String, @Nullable Object> settings(Config item) {
        Map<String, @Nullable Object> settings = new LinkedHashMap<>();
        List<String> keys = item.keys();
        List<Config> values = item.children();
        for (int i = 0; i < keys.size(); i++) {
            settings.put(keys.get(i), values.get(i).toJava());
        }
        return settings;
    }
}
