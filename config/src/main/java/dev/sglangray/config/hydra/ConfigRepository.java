/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** All places where configurations are looked for, in order, and what was loaded from them. Not thread-safe. */
final class ConfigRepository {
    private final List<ConfigSource> sources;
    private final Map<String, Optional<ConfigFile>> loaded = new HashMap<>();

    ConfigRepository(List<ConfigSource> sources) {
        this.sources = new ArrayList<>(sources);
    }

    /** Adds a place, to be looked at last. What is loaded already stays. */
    void addSource(ConfigSource source) {
        sources.add(source);
    }

    /** The configuration at a path, loaded once; empty when no place has it. */
    Optional<ConfigFile> load(String path) {
        Optional<ConfigFile> known = loaded.get(path);
        if (known == null) {
            known = sources.stream()
                    .filter(source -> source.hasConfig(path))
                    .findFirst()
                    .map(source -> source.load(path));
            loaded.put(path, known);
        }
        return known;
    }

    boolean hasGroup(String path) {
        return sources.stream().anyMatch(source -> source.hasGroup(path));
    }

    /** Names of the configurations in a group, over all places, sorted. */
    List<String> options(String group) {
        TreeSet<String> options = new TreeSet<>();
        sources.forEach(source -> options.addAll(source.options(group)));
        return List.copyOf(options);
    }

    /** The places, for people. */
    String describe() {
        return String.join(", ", sources.stream().map(ConfigSource::describe).toList());
    }
}
