/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.NearestName;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.hydra.override.Overrides;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.JavaValues;
import dev.sglangray.config.tree.KeyPath;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Merge;
import dev.sglangray.config.tree.MergeException;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.ValueNode;
import dev.sglangray.config.yaml.TextFile;
import dev.sglangray.config.yaml.YamlReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One node of a composed configuration: a map, a list or a value, with the place where it was written. Immutable and
 * safe for several threads. Interpolations are resolved when they are read, so that an interpolation that is never read does
 * no harm; the same holds for {@code ???}, which stands for a value that the user must give.
 */
public final class Config {
    private final Node written;
    private final Interpolator interpolator;
    private final Map<String, List<String>> files;

    Config(Node written, Interpolator interpolator) {
        this(written, interpolator, Map.of());
    }

    /**
     * A configuration and where it is from.
     *
     * @param files for each file that a defaults list brought in, the defaults lists on the way
     */
    Config(Node written, Interpolator interpolator, Map<String, List<String>> files) {
        this.written = written;
        this.interpolator = interpolator;
        this.files = files;
    }

    /**
     * A configuration made by a program. Environment variables that it refers to are those of this process.
     *
     * @param map texts, numbers, booleans, nulls, lists and maps
     * @throws ConfigException for a value of another type or an interpolation that does not follow the grammar
     */
    public static Config of(Map<String, ?> map) {
        return of(map, path -> SourcePosition.PROGRAM);
    }

    /** As above, with where each value was written, by its path, such as {@code a.b[0]}. */
    public static Config of(Map<String, ?> map, Function<String, SourcePosition> positions) {
        Node tree;
        try {
            tree = JavaValues.toNode(Objects.requireNonNull(map, "map"), positions);
        } catch (IllegalArgumentException e) {
            throw new ConfigException(ConfigProblem.error(SourcePosition.PROGRAM, "", String.valueOf(e.getMessage())));
        }
        return checked(tree, System.getenv());
    }

    /**
     * As above, with overrides in Hydra's grammar applied to it, in order.
     *
     * @throws ConfigException also for overrides that do not follow the grammar or do not fit
     */
    public static Config of(Map<String, ?> map, List<String> overrides) {
        Config base = of(map);
        Overrides.apply((MapNode) base.written, base.interpolator, overrides);
        return checked(base.written, System.getenv());
    }

    /**
     * A configuration from YAML text, without Hydra's composition. Environment variables that it refers to are those of
     * this process.
     *
     * @throws ConfigException when the text is not YAML, with the line and column
     */
    public static Config parse(String yaml) {
        return parse(yaml, System.getenv());
    }

    /** As {@link #parse(String)}, with the environment variables that the text may refer to. */
    public static Config parse(String yaml, Map<String, String> environment) {
        return checked(YamlReader.read(yaml, "<text>"), environment);
    }

    /**
     * Reads one YAML or JSON file as it is, without composition and without environment variables.
     *
     * @throws ConfigException when it cannot be read or is no YAML
     */
    public static Config read(Path file) {
        return checked(YamlReader.read(TextFile.read(file), file.toString()), Map.of());
    }

    private static Config checked(Node tree, Map<String, String> environment) {
        ConfigException.throwIfErrors(Interpolator.grammarProblems(tree));
        return new Config(tree, new Interpolator(environment));
    }

    /** The way from the root to here as written, such as {@code cluster.node_groups[0]}; empty for the root. */
    public String path() {
        return written.path();
    }

    /** Where this node was written. For an interpolation: where the interpolation stands, not what it leads to. */
    public SourcePosition position() {
        return written.position();
    }

    /**
     * How this value came here, one line a step: what its interpolation leads through, then the defaults lists that brought
     * in the file where it is written. Empty for a plain value in the primary file. Shows no values.
     */
    public List<String> trail() {
        List<String> trail = new ArrayList<>(ledThrough());
        trail.addAll(files.getOrDefault(position().file(), List.of()));
        return trail;
    }

    /** What this value's interpolation leads through, one line a step. */
    List<String> ledThrough() {
        return sources().stream()
                .map(source -> "'" + source.path() + "' at " + source.position())
                .toList();
    }

    /** For each file that a defaults list brought in, the defaults lists on the way. */
    Map<String, List<String>> files() {
        return files;
    }

    /**
     * The problem with the trail of its key, where it has none yet and the key is in this configuration.
     *
     * @param problem one that was found in this configuration
     */
    public ConfigProblem explain(ConfigProblem problem) {
        if (!problem.trail().isEmpty()) {
            return problem;
        }
        Node node = written.root();
        for (String part : problem.key().isEmpty() ? List.<String>of() : KeyPath.split(problem.key())) {
            Node child = childOf(node, part);
            if (child == null) {
                break;
            }
            node = child;
        }
        boolean same = node.position().equals(problem.position());
        return problem.withTrail(
                same ? at(node).trail() : files.getOrDefault(problem.position().file(), List.of()));
    }

    /** Whether this is a map. */
    public boolean isMap() {
        return resolved() instanceof MapNode;
    }

    /** Whether this is a list. */
    public boolean isList() {
        return resolved() instanceof ListNode;
    }

    /** Whether this is null. */
    public boolean isNull() {
        return resolved() instanceof ValueNode value && value.value() == null;
    }

    /** Whether this is {@code ???}, a value that the user must give. */
    public boolean isMissing() {
        return written instanceof ValueNode value && value.isMissing();
    }

    /** The keys of a map in the order written; empty for anything else. A key that is no text is given as text. */
    public List<String> keys() {
        return resolved() instanceof MapNode map
                ? map.entries().keySet().stream().map(PythonText::str).toList()
                : List.of();
    }

    /** The entries of a map in the order written; empty for anything else. A key that is no text is given as text. */
    public Map<String, Config> entries() {
        Map<String, Config> entries = new LinkedHashMap<>();
        if (resolved() instanceof MapNode map) {
            map.entries().forEach((key, value) -> entries.put(PythonText.str(key), at(value)));
        }
        return entries;
    }

    /** An error of this value, for its reader. */
    public ConfigProblem error(String message) {
        return ConfigProblem.error(position(), path(), message);
    }

    /** As {@link #error}, but no more than a warning. */
    public ConfigProblem warning(String message) {
        return ConfigProblem.warning(position(), path(), message);
    }

    /** The values of a map or the items of a list, in the order written; empty for a value. */
    public List<Config> children() {
        Node node = resolved();
        if (node instanceof MapNode map) {
            return map.entries().values().stream().map(this::at).toList();
        }
        return node instanceof ListNode list
                ? list.items().stream().map(this::at).toList()
                : List.of();
    }

    /**
     * The node at a path below this one, such as {@code a.b[0]}.
     *
     * @return empty when there is no such key; a null that is written is a node
     * @throws ConfigException when an interpolation on the way cannot be resolved
     */
    public Optional<Config> select(String path) {
        Config config = this;
        for (String part : KeyPath.split(path)) {
            Node child = childOf(config.resolved(), part);
            if (child == null) {
                return Optional.empty();
            }
            config = at(child);
        }
        return Optional.of(config);
    }

    private static @Nullable Node childOf(Node node, String name) {
        Node child = node.child(name);
        if (child == null && node instanceof MapNode map) {
            // Keys that YAML read as numbers or booleans can be asked for by their text.
            return map.entries().entrySet().stream()
                    .filter(entry -> PythonText.str(entry.getKey()).equals(name))
                    .map(Map.Entry::getValue)
                    .findFirst()
                    .orElse(null);
        }
        return child;
    }

    /**
     * The node at a path below this one.
     *
     * @throws ConfigException when there is none, with the nearest name
     */
    public Config require(String path) {
        return select(path).orElseThrow(() -> {
            String full = path().isEmpty() ? path : path() + "." + path;
            return new ConfigException(ConfigProblem.error(position(), full, "is required, but not given")
                    .withFix(NearestName.didYouMean(path, keys())));
        });
    }

    /** Where a key of the whole configuration is written; empty when it is not, or an interpolation is on the way. */
    public Optional<SourcePosition> positionOf(String key) {
        Node node = written.root();
        for (String part : KeyPath.split(key)) {
            Node child = childOf(node, part);
            if (child == null) {
                return Optional.empty();
            }
            node = child;
        }
        return Optional.of(node.position());
    }

    /** This map without some keys, apart from the configuration that it is from, so that interpolations in it lead nowhere. */
    public Config without(Set<String> keys) {
        Node copy = resolved().copy();
        if (copy instanceof MapNode map) {
            keys.forEach(map::remove);
        }
        return new Config(copy, interpolator, files);
    }

    /**
     * This whole configuration, with another map laid over one of its maps, as OmegaConf merges.
     *
     * @param path the way to the map
     * @param over the other map, whose interpolations are then resolved at their new place
     * @param without keys that the map loses first
     * @throws ConfigException when a map meets a list
     */
    public Config overlaid(String path, Config over, Set<String> without) {
        Node root = written.root().copy();
        Node at = root;
        for (String part : KeyPath.split(path)) {
            Node child = Objects.requireNonNull(childOf(at, part), path);
            if (child instanceof ValueNode link) {
                // An interpolation: a copy of what it leads to.
                child = interpolator.resolve(link).copy();
                if (at instanceof MapNode map) {
                    map.put(Objects.requireNonNull(link.key()), child);
                } else if (at instanceof ListNode list) {
                    list.set(Integer.parseInt(part), child);
                }
            }
            at = child;
        }
        if (at instanceof MapNode map) {
            without.forEach(map::remove);
        }
        try {
            new Merge(interpolator::resolveOrNull, false).into(at, over.written);
        } catch (MergeException e) {
            throw new ConfigException(
                    ConfigProblem.error(e.position(), path + "." + e.path(), String.valueOf(e.getMessage())));
        }
        return new Config(root, interpolator, files);
    }

    /** Whether there is a node at a path below this one; it may be null. */
    public boolean has(String path) {
        return select(path).isPresent();
    }

    /**
     * The value as text: texts as they are, numbers and booleans as Python prints them.
     *
     * @throws ConfigException when this is a map, a list, null or missing
     */
    public String asString() {
        Object value = value();
        if (value == null || value instanceof byte[]) {
            throw wrongType("a text", value);
        }
        return PythonText.str(value);
    }

    /**
     * The value as integer.
     *
     * @throws ConfigException when this is no integer or outside the range of int
     */
    public int asInt() {
        Object value = value();
        if (value instanceof Integer number) {
            return number;
        }
        throw wrongType("an integer of 32 bits", value);
    }

    /**
     * The value as long integer.
     *
     * @throws ConfigException when this is no integer or outside the range of long
     */
    public long asLong() {
        Object value = value();
        if (value instanceof Integer || value instanceof Long) {
            return ((Number) value).longValue();
        }
        throw wrongType("an integer of 64 bits", value);
    }

    /**
     * The value as double; integers are converted.
     *
     * @throws ConfigException when this is no number
     */
    public double asDouble() {
        Object value = value();
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        throw wrongType("a number", value);
    }

    /**
     * The value as boolean. Only a boolean is one: the text {@code "False"} is refused.
     *
     * @throws ConfigException when this is no boolean
     */
    public boolean asBoolean() {
        Object value = value();
        if (value instanceof Boolean truth) {
            return truth;
        }
        throw wrongType("true or false", value);
    }

    /**
     * Everything from here down with interpolations resolved, as plain Java: {@code Map<String, Object>} and
     * {@code List<Object>} in the order written, String, Boolean, Integer, Long, BigInteger, Double, byte[] or null.
     * Keys that are no texts become texts.
     *
     * @throws ConfigException when an interpolation cannot be resolved or a value is missing
     */
    public @Nullable Object toJava() {
        return JavaView.of(written, interpolator);
    }

    /** The value without its type; null for null. */
    @Nullable
    public Object value() {
        if (isMissing()) {
            throw new ConfigException(missing(written));
        }
        Node node = resolved();
        if (node instanceof ValueNode value) {
            return value.value();
        }
        throw wrongType("a single value", node);
    }

    static ConfigProblem missing(Node node) {
        return ConfigProblem.error(node.position(), node.path(), "has to be given a value (it is ???)")
                .withFix("set it in the file, or with the override " + node.path() + "=...");
    }

    private ConfigException wrongType(String wanted, @Nullable Object seen) {
        return new ConfigException(
                ConfigProblem.error(position(), path(), "must be " + wanted + ", not " + describe(seen)));
    }

    private String describe(@Nullable Object seen) {
        if (seen == null) {
            return "null";
        } else if (seen instanceof MapNode || seen instanceof ListNode) {
            return seen instanceof MapNode ? "a map" : "a list";
        } else if (seen instanceof byte[]) {
            return "bytes";
        }
        return (seen instanceof String ? "the text " : "") + display(seen);
    }

    /** A value that was found here as it may stand in a message: hidden when its name, or that of where it comes from, is secret. */
    public String display(@Nullable Object seen) {
        return isSecret() && !(seen instanceof Boolean) ? Secrets.HIDDEN : Secrets.display(path(), seen);
    }

    /** Whether the value has the name of a secret, or comes from something that has. */
    public boolean isSecret() {
        return TreeView.isSecret(this, path());
    }

    /**
     * Texts that may not be shown, longest first: values of keys with secret-looking names, and values of variables with such names that
     * interpolations read, wherever they were put. Those of less than four characters are left out.
     */
    public List<String> secretValues() {
        return SecretValues.of(written, interpolator);
    }

    private Node resolved() {
        Node node = interpolator.resolve(written);
        return node instanceof ValueNode value && (value.value() instanceof List || value.value() instanceof Map)
                ? JavaView.expand(value)
                : node;
    }

    private Config at(Node node) {
        return new Config(node, interpolator, files);
    }

    /** The node as written, for this package's own use. */
    Node node() {
        return written;
    }

    /** The interpolation that stands here, as written; empty when the value is written out. It may hold a secret. */
    public Optional<String> interpolation() {
        return isReference() ? Optional.of(((ValueNode) written).text()) : Optional.empty();
    }

    /** The nodes that this value's interpolation leads through, as configurations. */
    List<Config> sources() {
        return interpolator.trace(written).stream().map(this::at).toList();
    }

    /** Whether this is written as an interpolation. */
    public boolean isReference() {
        return written instanceof ValueNode value && value.isInterpolation();
    }

    /** The resolved value as text, for people; values of secret-looking keys are hidden. */
    @Override
    public String toString() {
        return "Config[" + (path().isEmpty() ? "root" : path()) + " at " + position() + "]";
    }
}
