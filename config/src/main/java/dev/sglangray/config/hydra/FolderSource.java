/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.hydra;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.ProblemSink;
import dev.sglangray.config.error.SourcePosition;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.Node;
import dev.sglangray.config.yaml.TextFile;
import dev.sglangray.config.yaml.YamlReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Configurations in a folder: each YAML file is one, each folder is a config group. */
final class FolderSource implements ConfigSource {
    private final Path folder;
    private final @Nullable PrimaryFile primary;
    private final ProblemSink sink;

    FolderSource(Path folder, ProblemSink sink) {
        this(folder, null, sink);
    }

    /** With one more configuration: a file that was named by itself. */
    FolderSource(Path folder, @Nullable PrimaryFile primary, ProblemSink sink) {
        this.folder = folder;
        this.primary = primary;
        this.sink = sink;
    }

    @Override
    public boolean hasConfig(String path) {
        try {
            return isPrimary(path) || Files.isRegularFile(file(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    @Override
    public boolean hasGroup(String path) {
        try {
            return Files.isDirectory(folder.resolve(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    @Override
    public ConfigFile load(String path) {
        Path file = file(path);
        String text = TextFile.read(file);
        Node tree = YamlReader.read(text, file.toString(), sink);
        sink.report(Interpolator.grammarProblems(tree));
        return DefaultsReader.read(path, tree, PackageHeader.read(text, file.toString()));
    }

    @Override
    public List<String> options(String group) {
        if (!hasGroup(group)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder.resolve(group))) {
            return files.filter(Files::isRegularFile)
                    .map(file -> String.valueOf(file.getFileName()))
                    .filter(FolderSource::isYaml)
                    .map(name -> name.substring(0, name.lastIndexOf('.')))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new ConfigException(ConfigProblem.error(
                    new SourcePosition(folder.resolve(group).toString(), 0, 0), "", "cannot be listed: " + e));
        }
    }

    @Override
    public String describe() {
        return Files.isDirectory(folder) ? folder.toString() : folder + " (does not exist)";
    }

    private boolean isPrimary(String path) {
        return primary != null && path.equals(primary.configName());
    }

    private Path file(String path) {
        if (primary != null && isPrimary(path)) {
            return primary.file();
        }
        // JSON is YAML; Hydra does not look for it, so only a whole file name leads to it.
        boolean named = isYaml(path) || path.toLowerCase(Locale.ROOT).endsWith(".json");
        return folder.resolve(named ? path : path + ".yaml");
    }

    private static boolean isYaml(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        return lower.endsWith(".yaml") || lower.endsWith(".yml");
    }
}
