/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.ProblemSink;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.hydra.override.ConfigOverride;
import dev.sglangray.config.hydra.override.OverrideApplier;
import dev.sglangray.config.hydra.override.OverrideParser;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.KeyPath;
import dev.sglangray.config.tree.MapNode;
import dev.sglangray.config.tree.Merge;
import dev.sglangray.config.tree.MergeException;
import dev.sglangray.config.tree.Node;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Composes configurations of a folder as Hydra 1.3 does with {@code version_base="1.1"}. Immutable. */
public final class Composer {
    private static final String HYDRA = "hydra/config";

    private final List<Path> folders;
    private final @Nullable PrimaryFile primary;
    private final Interpolator interpolator;
    private final ProblemSink sink;

    /** Composes from a folder; the interpolator serves the interpolations that composition itself has to resolve. */
    public Composer(Path folder, Interpolator interpolator) {
        this(List.of(folder), interpolator, ProblemSink.STRICT);
    }

    /**
     * One that hands problems over after which it can go on: interpolations that do not follow the grammar, duplicate keys,
     * overrides that do not fit. When the sink does not throw, the result is what could be composed.
     *
     * @param folders the folder of configurations, then more of them; the first that has a file gives it
     */
    public Composer(List<Path> folders, Interpolator interpolator, ProblemSink sink) {
        this(folders, null, interpolator, sink);
    }

    /** One whose primary configuration is a file that was named by itself; it needs {@link PrimaryFile#configName()} to compose. */
    public Composer(PrimaryFile primary, List<Path> more, Interpolator interpolator, ProblemSink sink) {
        this(Stream.concat(Stream.of(primary.folder()), more.stream()).toList(), primary, interpolator, sink);
    }

    private Composer(List<Path> folders, @Nullable PrimaryFile primary, Interpolator interpolator, ProblemSink sink) {
        this.folders = List.copyOf(folders);
        this.primary = primary;
        this.interpolator = interpolator;
        this.sink = sink;
    }

    /**
     * Composes a primary configuration.
     *
     * @param name its path in the folder
     * @param lines overrides in Hydra's grammar
     * @throws ConfigException when a configuration is not there, is no YAML or does not fit, or an override does not fit
     */
    public Composition compose(String name, List<String> lines) {
        List<ConfigOverride> parsed = OverrideParser.parseAll(lines, sink);
        sink.report(sweeps(parsed));
        List<ConfigOverride> overrides = parsed.stream()
                .filter(override -> !(override.value() instanceof ConfigOverride.Sweep))
                .toList();
        ConfigRepository repository = repository();
        repository
                .load(name)
                .ifPresent(primary -> new SearchPath(interpolator, sink).extend(repository, primary, overrides));
        GroupChoices choices = new GroupChoices(repository, overrides);
        List<DefaultsTree.Step> steps = new DefaultsExpander(repository, choices, interpolator).expand(name);
        refuseRepeats(steps);
        sink.report(choices.unused());
        MapNode result = merge(repository, steps);
        repository.load(HYDRA).ifPresent(own -> sink.report(HydraSection.check(result.get("hydra"), own.tree())));
        sink.report(new OverrideApplier(result, interpolator).apply(choices.valueOverrides()));
        MapNode hydra = hydraSection(result);
        new HydraRun(hydra).fill(name, overrides, choices.chosen());
        result.remove("hydra");
        return new Composition(result, hydra, trails(repository, steps));
    }

    private ConfigRepository repository() {
        List<ConfigSource> sources = new ArrayList<>();
        sources.add(new BuiltinSource());
        for (int i = 0; i < folders.size(); i++) {
            PrimaryFile file = i == 0 ? primary : null;
            if (file == null) {
                requireFolder(folders.get(i));
            }
            sources.add(new FolderSource(folders.get(i), file, sink));
        }
        return new ConfigRepository(sources);
    }

    private static void requireFolder(Path folder) {
        if (!Files.isDirectory(folder)) {
            String message = Files.exists(folder)
                    ? "is a file, not a folder of configurations"
                    : "the folder of configurations does not exist";
            throw new ConfigException(ConfigProblem.error(new SourcePosition(folder.toString(), 0, 0), "", message));
        }
    }

    /** Hydra's section within a copy of the whole, so that interpolations in it keep their meaning. */
    private static MapNode hydraSection(MapNode result) {
        return result.copy().get("hydra") instanceof MapNode section ? section : new MapNode(SourcePosition.PROGRAM);
    }

    private static Map<String, List<String>> trails(ConfigRepository repository, List<DefaultsTree.Step> steps) {
        Map<String, List<String>> trails = new HashMap<>();
        for (DefaultsTree.Step step : steps) {
            if (!step.trail().isEmpty() && !step.path().startsWith("hydra/")) {
                repository
                        .load(step.path())
                        .ifPresent(file ->
                                trails.putIfAbsent(file.tree().position().file(), step.trail()));
            }
        }
        return trails;
    }

    private static List<ConfigProblem> sweeps(List<ConfigOverride> overrides) {
        List<ConfigProblem> problems = new ArrayList<>();
        for (ConfigOverride override : overrides) {
            if (override.value() instanceof ConfigOverride.Sweep sweep) {
                String message = "stands for several values: it is " + sweep.text();
                problems.add(ConfigProblem.error(override.position(), override.key(), message)
                        .withFix("give one value; a list is [a,b], a text with a comma is 'a,b'"));
            }
        }
        return problems;
    }

    private static void refuseRepeats(List<DefaultsTree.Step> steps) {
        Set<String> seen = new HashSet<>();
        for (DefaultsTree.Step step : steps) {
            if (!step.self() && step.choice() instanceof GroupItem item && !seen.add(item.overrideKey())) {
                throw new ConfigException(ConfigProblem.error(
                        item.position(),
                        item.overrideKey(),
                        "the config group is in the defaults lists more than once"));
            }
        }
    }

    private MapNode merge(ConfigRepository repository, List<DefaultsTree.Step> steps) {
        MapNode result = new MapNode(new SourcePosition(folders.get(0).toString(), 0, 0));
        Merge merge = new Merge(interpolator::resolveOrNull, false);
        for (DefaultsTree.Step step : steps) {
            ConfigFile file = repository.load(step.path()).orElseThrow();
            if (step.primary() && !(file.tree() instanceof MapNode)) {
                throw new ConfigException(
                        ConfigProblem.error(file.tree().position(), "", "a configuration must be a map, not a list"));
            }
            if (!step.primary() && !step.path().equals(HYDRA)) {
                SearchPath.refuseIn(file, step.packageName());
            }
            Node embedded = embed(file.tree(), step.packageName());
            try {
                merge.into(result, embedded);
            } catch (MergeException e) {
                throw new ConfigException(ConfigProblem.error(e.position(), e.path(), String.valueOf(e.getMessage())));
            }
        }
        return result;
    }

    /** The tree below the keys of a package. */
    private static Node embed(Node tree, String packageName) {
        if (packageName.isEmpty()) {
            return tree;
        }
        List<String> parts = KeyPath.split(packageName);
        Node embedded = tree.copy();
        for (int i = parts.size() - 1; i >= 0; i--) {
            MapNode outer = new MapNode(tree.position());
            outer.put(parts.get(i), embedded);
            embedded = outer;
        }
        return embedded;
    }
}
