/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.yaml.YamlReader;
import java.nio.file.Path;
import java.util.List;

/** Composes a configuration from a folder. */
public final class Composer {
    private final Path folder;
    private final Interpolator interpolator;

    public Composer(Path folder, Interpolator interpolator) {
        this.folder = folder;
        this.interpolator = interpolator;
    }

    /**
     * Composes a primary configuration with overrides.
     *
     * @throws ConfigException when something does not fit
     */
    public MapNode compose(String name, List<String> overrides) {
        List<ConfigOverride> parsed = OverrideParser.parseAll(overrides);
        String file = name.endsWith(".yaml") || name.endsWith(".yml") ? name : name + ".yaml";
        Node tree = YamlReader.read(folder.resolve(file));
        if (!(tree instanceof MapNode map)) {
            throw new ConfigException(ConfigProblem.error(tree.position(), "", "a configuration must be a map"));
        }
        ConfigException.throwIfErrors(Interpolator.grammarProblems(map));
        new OverrideApplier(map, interpolator).apply(parsed);
        map.remove("hydra");
        return map;
    }
}
