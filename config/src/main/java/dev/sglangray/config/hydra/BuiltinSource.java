/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.tree.PythonText;
import dev.sglangray.config.yaml.YamlReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What Hydra itself brings: the section {@code hydra} and the config groups below it. */
final class BuiltinSource implements ConfigSource {
    private static final String RESOURCE = "builtin.yaml";

    /** Read once and never changed; each caller gets a copy. */
    private static final Map<String, Node> CONFIGS = read();

    private static Map<String, Node> read() {
        try (InputStream stream = Objects.requireNonNull(BuiltinSource.class.getResourceAsStream(RESOURCE))) {
            String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
            MapNode all = (MapNode) YamlReader.read(text, "<Hydra>");
            Map<String, Node> configs = new LinkedHashMap<>();
            all.entries().forEach((path, tree) -> configs.put(PythonText.str(path), tree));
            return Collections.unmodifiableMap(configs);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean hasConfig(String path) {
        return CONFIGS.containsKey(path);
    }

    @Override
    public boolean hasGroup(String path) {
        return CONFIGS.keySet().stream().anyMatch(config -> config.startsWith(path + "/"));
    }

    @Override
    public ConfigFile load(String path) {
        Node tree = Objects.requireNonNull(CONFIGS.get(path)).copy();
        String header = path.equals("hydra/output/default") ? "_global_" : null;
        return DefaultsReader.read(path, tree, header);
    }

    @Override
    public List<String> options(String group) {
        List<String> options = new ArrayList<>();
        for (String config : CONFIGS.keySet()) {
            int slash = config.lastIndexOf('/');
            if (config.substring(0, slash).equals(group)) {
                options.add(config.substring(slash + 1));
            }
        }
        return options.stream().sorted().toList();
    }

    @Override
    public String describe() {
        return "Hydra's own";
    }
}
