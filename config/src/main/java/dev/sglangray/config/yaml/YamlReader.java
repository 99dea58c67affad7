/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.yaml;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.ProblemSink;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.ValueNode;
import java.io.StringReader;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.reader.ReaderException;
import org.yaml.snakeyaml.representer.Representer;

/**
 * Reads YAML text as data. Nothing is constructed but maps, lists and scalars; duplicate keys, unknown tags, deep nesting
 * and large documents are refused.
 */
public final class YamlReader {

    /** Collections nested deeper than this are refused. */
    public static final int MAX_DEPTH = 100;

    private YamlReader() {}

    /**
     * Reads text. An empty document is an empty map, and a single word a map of that word to null, as in OmegaConf.
     *
     * @param text one YAML document
     * @param name what to call the text in positions
     * @throws ConfigException when it is not YAML
     */
    public static Node read(String text, String name) {
        return read(text, name, ProblemSink.STRICT);
    }

    /**
     * As {@link #read(String, String)}.
     *
     * @param sink takes duplicate keys and values that are refused; when it does not throw, the rest is read
     */
    public static Node read(String text, String name, ProblemSink sink) {
        org.yaml.snakeyaml.nodes.Node document = compose(text, name);
        SourcePosition start = new SourcePosition(name, 1, 1);
        if (document == null) {
            return new MapNode(start);
        }
        TreeBuilder builder = new TreeBuilder(name);
        Node tree = builder.build(document);
        sink.report(builder.problems());
        if (!(tree instanceof ValueNode scalar)) {
            return tree;
        }
        MapNode map = new MapNode(start);
        if (scalar.value() instanceof String word) {
            map.put(word, new ValueNode(null, scalar.position()));
        } else if (scalar.value() != null) {
            throw problem(scalar.position(), "a configuration must be a map, not the single value " + scalar.value());
        }
        return map;
    }

    private static org.yaml.snakeyaml.nodes.@Nullable Node compose(String text, String name) {
        LoaderOptions options = new LoaderOptions();
        options.setNestingDepthLimit(MAX_DEPTH);
        options.setCodePointLimit(TextFile.MAX_BYTES);
        // Nothing is constructed from tags: TreeBuilder refuses them, with the key's position.
        options.setTagInspector(tag -> true);
        // TreeBuilder limits what aliases expand to, which is what costs.
        options.setMaxAliasesForCollections(Integer.MAX_VALUE);
        DumperOptions unused = new DumperOptions();
        Yaml yaml =
                new Yaml(new SafeConstructor(options), new Representer(unused), unused, options, new PythonResolver());
        try {
            String plain = text.startsWith("\ufeff") ? text.substring(1) : text;
            org.yaml.snakeyaml.nodes.Node document = yaml.compose(new StringReader(plain));
            if (StricterCheck.concerns(plain)) {
                StricterCheck.check(plain, yaml.parse(new StringReader(plain)), name);
            }
            if (document == null && plain.startsWith("%")) {
                throw problem(new SourcePosition(name, 1, 1), "a directive without a document behind it");
            }
            return document;
        } catch (MarkedYAMLException e) {
            throw problem(position(name, e), describe(e));
        } catch (ReaderException e) {
            throw problem(
                    lineOf(text, e.getPosition(), name),
                    "the character with code " + e.getCodePoint() + " is not allowed in YAML");
        } catch (ConfigException e) {
            throw e;
        } catch (RuntimeException e) {
            // SnakeYAML lets a NumberFormatException and the like out for some broken escapes.
            throw problem(new SourcePosition(name, 0, 0), "not valid YAML: " + e.getMessage());
        }
    }

    private static SourcePosition position(String name, MarkedYAMLException e) {
        Mark mark = e.getProblemMark() != null ? e.getProblemMark() : e.getContextMark();
        return mark == null ? new SourcePosition(name, 0, 0) : position(name, mark);
    }

    static SourcePosition position(String name, Mark mark) {
        return new SourcePosition(name, mark.getLine() + 1, mark.getColumn() + 1);
    }

    private static SourcePosition lineOf(String text, int index, String name) {
        String before = text.substring(0, Math.min(Math.max(index, 0), text.length()));
        int lines = (int) before.chars().filter(c -> c == '\n').count();
        return new SourcePosition(name, lines + 1, before.length() - before.lastIndexOf('\n'));
    }

    private static String describe(MarkedYAMLException e) {
        String context = e.getContext() == null ? "" : e.getContext() + ": ";
        return "not valid YAML: " + context + e.getProblem();
    }

    private static ConfigException problem(SourcePosition position, String message) {
        return new ConfigException(ConfigProblem.error(position, "", message));
    }
}
