/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.yaml;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.Secrets;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.tree.ListNode;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.Numbers;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.tree.ValueNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/** Turns one composed YAML document into a tree. Not for use by several threads. */
final class TreeBuilder {
    /** Aliases multiply nodes; a document that grows beyond this is refused. */
    private static final int MAX_NODES = 200_000;

    private static final Tag OMAP = new Tag(Tag.PREFIX + "omap");
    private static final Tag PAIRS = new Tag(Tag.PREFIX + "pairs");

    private final String file;
    private final Set<org.yaml.snakeyaml.nodes.Node> open = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<ConfigProblem> problems = new ArrayList<>();
    private int nodes;
    private boolean underSecret;

    TreeBuilder(String file) {
        this.file = file;
    }

    /** What was refused on the way; the tree is whole only when there is nothing. */
    List<ConfigProblem> problems() {
        return problems;
    }

    Node build(org.yaml.snakeyaml.nodes.Node yaml) {
        if (++nodes > MAX_NODES) {
            throw problem(yaml, "the document has more than " + MAX_NODES + " nodes once its aliases are expanded");
        }
        if (yaml instanceof ScalarNode scalar) {
            return new ValueNode(lenientScalar(scalar), position(scalar));
        }
        if (!open.add(yaml)) {
            throw problem(yaml, "an alias leads back into the node that it stands in");
        }
        try {
            return yaml instanceof MappingNode mapping ? map(mapping) : list((SequenceNode) yaml);
        } finally {
            open.remove(yaml);
        }
    }

    private @Nullable Object lenientScalar(ScalarNode node) {
        try {
            return scalar(node);
        } catch (ConfigException e) {
            problems.addAll(e.problems());
            return node.getValue();
        }
    }

    private @Nullable Object scalar(ScalarNode node) {
        if (node.isPlain() && node.getValue().indexOf('\t') >= 0) {
            throw problem(node, "a tab in unquoted text; quote the text");
        }
        try {
            return Scalars.value(node.getTag(), node.getValue());
        } catch (IllegalArgumentException e) {
            throw problem(
                    node,
                    underSecret ? "is no value of the type that its tag or form says" : String.valueOf(e.getMessage()));
        }
    }

    /** The value of a key; what is wrong with it is said without it when the key looks secret. */
    private Node build(Object key, org.yaml.snakeyaml.nodes.Node value) {
        boolean outer = underSecret;
        underSecret = outer || Secrets.isSecret(PythonText.str(key));
        try {
            return build(value);
        } finally {
            underSecret = outer;
        }
    }

    private Node list(SequenceNode yaml) {
        boolean pairs = yaml.getTag().equals(OMAP) || yaml.getTag().equals(PAIRS);
        if (!pairs && !yaml.getTag().equals(Tag.SEQ)) {
            throw problem(yaml, "the tag '" + Scalars.shorten(yaml.getTag()) + "' is refused for a list");
        }
        ListNode list = new ListNode(position(yaml));
        for (org.yaml.snakeyaml.nodes.Node item : yaml.getValue()) {
            list.add(pairs ? pair(item) : build(item));
        }
        return list;
    }

    private Node pair(org.yaml.snakeyaml.nodes.Node item) {
        if (!(item instanceof MappingNode mapping) || mapping.getValue().size() != 1) {
            throw problem(item, "each entry must be one 'key: value'");
        }
        NodeTuple only = mapping.getValue().get(0);
        ListNode pair = new ListNode(position(item));
        pair.add(build(only.getKeyNode()));
        pair.add(build(only.getValueNode()));
        return pair;
    }

    private Node map(MappingNode yaml) {
        if (!yaml.getTag().equals(Tag.MAP)) {
            throw problem(yaml, "the tag '" + Scalars.shorten(yaml.getTag()) + "' is refused for a map");
        }
        MapNode map = new MapNode(position(yaml));
        for (NodeTuple merged : merged(yaml)) {
            Object key = key(merged.getKeyNode());
            map.put(key, build(key, merged.getValueNode()));
        }
        Map<Object, SourcePosition> own = new HashMap<>();
        for (NodeTuple tuple : yaml.getValue()) {
            if (tuple.getKeyNode().getTag().equals(Tag.MERGE)) {
                continue;
            }
            Object key = key(tuple.getKeyNode());
            SourcePosition first = own.putIfAbsent(sameInPython(key), position(tuple.getKeyNode()));
            if (first != null) {
                problems.add(ConfigProblem.error(
                        position(tuple.getKeyNode()),
                        "",
                        "duplicate key '" + PythonText.str(key) + "', already given in line " + first.line()));
            }
            map.put(key, build(key, tuple.getValueNode()));
        }
        return map;
    }

    /** What {@code <<} brings in, the weakest first. */
    private List<NodeTuple> merged(MappingNode yaml) {
        List<NodeTuple> all = new ArrayList<>();
        for (NodeTuple tuple : yaml.getValue()) {
            if (!tuple.getKeyNode().getTag().equals(Tag.MERGE)) {
                continue;
            }
            org.yaml.snakeyaml.nodes.Node value = tuple.getValueNode();
            if (value instanceof MappingNode mapping) {
                all.addAll(flat(mapping));
            } else if (value instanceof SequenceNode sequence) {
                List<org.yaml.snakeyaml.nodes.Node> parts = new ArrayList<>(sequence.getValue());
                Collections.reverse(parts);
                for (org.yaml.snakeyaml.nodes.Node part : parts) {
                    if (!(part instanceof MappingNode mapping)) {
                        throw problem(part, "'<<' merges only maps");
                    }
                    all.addAll(flat(mapping));
                }
            } else {
                throw problem(value, "'<<' merges a map or a list of maps");
            }
        }
        return all;
    }

    private List<NodeTuple> flat(MappingNode mapping) {
        if (!open.add(mapping)) {
            throw problem(mapping, "'<<' merges a map into itself");
        }
        try {
            List<NodeTuple> all = merged(mapping);
            for (NodeTuple tuple : mapping.getValue()) {
                if (!tuple.getKeyNode().getTag().equals(Tag.MERGE)) {
                    all.add(tuple);
                }
            }
            if (all.size() > MAX_NODES) {
                throw problem(mapping, "'<<' merges more than " + MAX_NODES + " entries");
            }
            return all;
        } finally {
            open.remove(mapping);
        }
    }

    private Object key(org.yaml.snakeyaml.nodes.Node node) {
        if (!(node instanceof ScalarNode scalar)) {
            throw problem(node, "a key must be a text, a number or a boolean, not a list or a map");
        }
        Object key = scalar.getTag().equals(PythonResolver.VALUE) ? scalar.getValue() : scalar(scalar);
        if (key == null || key instanceof byte[]) {
            throw problem(node, "a key must be a text, a number or a boolean; quote it to use it as text");
        }
        return key;
    }

    /** Python's dictionaries take 1, 1.0 and true for one key. */
    private static Object sameInPython(Object key) {
        if (key instanceof Boolean truth) {
            return BigInteger.valueOf(truth ? 1 : 0);
        }
        if (key instanceof Double number && number == Math.rint(number) && !number.isInfinite()) {
            return new BigDecimal(number).toBigInteger();
        }
        return Numbers.isInteger(key) ? Numbers.big(key) : key;
    }

    private SourcePosition position(org.yaml.snakeyaml.nodes.Node node) {
        return YamlReader.position(file, node.getStartMark());
    }

    private ConfigException problem(org.yaml.snakeyaml.nodes.Node node, String message) {
        return new ConfigException(ConfigProblem.error(position(node), "", message));
    }
}
