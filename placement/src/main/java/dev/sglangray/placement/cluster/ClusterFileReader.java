/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.placement.cluster;

import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.placement.PlacementException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Reads {@link ClusterFile}. Not thread-safe. */
final class ClusterFileReader {
    private static final List<String> FILE_KEYS = List.of("nodes", "head");
    private static final List<String> NODE_KEYS = List.of(
            "ip",
            "id",
            "hostname",
            "rank",
            "count",
            "accelerators",
            "accelerator_type",
            "accelerator_model",
            "resources",
            "labels");
    private static final int MOST_NODES = 1_000_000;

    private final List<ConfigProblem> problems = new ArrayList<>();
    private final Set<String> addresses = new HashSet<>();

    ClusterSnapshot read(Config file) {
        List<NodeSnapshot> nodes = new ArrayList<>();
        if (!file.isMap()) {
            throw new ConfigException(problem(file, "must be a map with a list of nodes"));
        }
        requireKnown(file, FILE_KEYS);
        Config list = file.select("nodes").orElse(null);
        if (list == null || !list.isList() || list.children().isEmpty()) {
            problems.add(problem(list == null ? file : list, "nodes must be a list with at least one node"));
        } else {
            list.children().forEach(entry -> attempt(entry, nodes));
        }
        ConfigException.throwIfErrors(problems);
        return new ClusterSnapshot(nodes, head(file, nodes));
    }

    private String head(Config file, List<NodeSnapshot> nodes) {
        Optional<Config> head = file.select("head").filter(value -> !value.isNull());
        if (head.isEmpty()) {
            return nodes.get(0).nodeId();
        }
        String wanted = head.get().asString();
        return nodes.stream()
                .filter(node -> node.ip().equals(wanted) || node.nodeId().equals(wanted))
                .map(NodeSnapshot::nodeId)
                .findFirst()
                .orElseThrow(() -> new ConfigException(problem(head.get(), "no node has the address " + wanted)));
    }

    private void addNodes(Config entry, List<NodeSnapshot> nodes) {
        if (!entry.isMap()) {
            throw new ConfigException(problem(entry, "must be a map, such as {ip: 10.0.0.1, accelerators: 8}"));
        }
        requireKnown(entry, NODE_KEYS);
        ClusterFileNode node = new ClusterFileNode(
                entry.require("ip").asString(),
                read(entry, "id", null, Config::asString),
                text(entry, "hostname"),
                read(entry, "rank", null, value -> atLeast(0, value)),
                count(entry),
                read(entry, "accelerators", null, value -> atLeast(0, value)),
                read(entry, "accelerator_type", null, ClusterFileReader::type),
                read(entry, "accelerator_model", null, Config::asString),
                map(entry, "resources", Config::asDouble),
                map(entry, "labels", Config::asString));
        if (node.count() > 1 && (node.id() != null || !node.hasCountableAddress())) {
            throw new ConfigException(problem(
                    entry,
                    node.id() != null
                            ? "several nodes cannot have one id"
                            : "the addresses of several nodes are counted up, which needs an IPv4 address, not "
                                    + node.ip()));
        }
        for (int i = 0; i < node.count(); i++) {
            NodeSnapshot one = node.node(i);
            if (!addresses.add(one.ip())) {
                throw new ConfigException(problem(entry, "the address " + one.ip() + " belongs to an earlier node"));
            }
            nodes.add(one);
        }
    }

    private static String text(Config entry, String key) {
        String text = read(entry, key, "", Config::asString);
        return text == null ? "" : text;
    }

    private static int count(Config entry) {
        Integer count = read(entry, "count", 1, value -> atLeast(1, value));
        return count == null ? 1 : count;
    }

    private static <T> @Nullable T read(Config map, String key, @Nullable T fallback, Function<Config, T> how) {
        return map.select(key).filter(value -> !value.isNull()).map(how).orElse(fallback);
    }

    private static <T> Map<String, T> map(Config entry, String key, Function<Config, T> how) {
        Map<String, T> values = new LinkedHashMap<>();
        entry.select(key).filter(value -> !value.isNull()).ifPresent(map -> {
            if (!map.isMap()) {
                throw new ConfigException(problem(map, "must be a map"));
            }
            List<String> keys = map.keys();
            List<Config> children = map.children();
            for (int i = 0; i < keys.size(); i++) {
                values.put(keys.get(i), how.apply(children.get(i)));
            }
        });
        return values;
    }

    private static int atLeast(int least, Config value) {
        int number = value.asInt();
        if (number < least || number > MOST_NODES) {
            throw new ConfigException(
                    problem(value, "must be from %d to %d, not %d".formatted(least, MOST_NODES, number)));
        }
        return number;
    }

    private static AcceleratorType type(Config value) {
        String name = value.asString();
        List<String> names = Arrays.stream(AcceleratorType.values())
                .map(AcceleratorType::name)
                .toList();
        if (!names.contains(name)) {
            throw new ConfigException(problem(value, "is no kind of accelerator: " + name)
                    .withAllowed(names)
                    .withFix(NearestName.didYouMean(name, names)));
        }
        return AcceleratorType.valueOf(name);
    }

    private void requireKnown(Config map, Collection<String> known) {
        List<String> keys = map.keys();
        for (int i = 0; i < keys.size(); i++) {
            String key = keys.get(i);
            if (!known.contains(key)) {
                problems.add(problem(map.children().get(i), "unknown key '" + key + "'")
                        .withAllowed(List.copyOf(known))
                        .withFix(NearestName.didYouMean(key, known)));
            }
        }
    }

    private void attempt(Config entry, List<NodeSnapshot> nodes) {
        try {
            addNodes(entry, nodes);
        } catch (ConfigException e) {
            problems.addAll(e.problems());
        } catch (PlacementException e) {
            problems.add(problem(entry, String.valueOf(e.getMessage())));
        }
    }

    private static ConfigProblem problem(Config at, String message) {
        return ConfigProblem.error(at.position(), at.path(), message);
    }
}
