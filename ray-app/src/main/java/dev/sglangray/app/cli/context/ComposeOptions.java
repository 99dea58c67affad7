/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which configuration, and what is changed in it. The names are Hydra's where it has them. */
public class ComposeOptions {
    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            converter = OptionValues.InputFile.class,
            description = "The configuration, one YAML file of any name; - is standard input.")
    private @Nullable Path file;

    @Option(
            names = {"--config-path"},
            paramLabel = "DIR",
            converter = OptionValues.Folder.class,
            description = "The folder of a configuration with a defaults list; used with --config-name.")
    private @Nullable Path directory;

    @Option(
            names = {"--config-dir"},
            paramLabel = "DIR",
            converter = OptionValues.Folder.class,
            description = "One more folder to look for configurations in, as in Hydra.")
    private @Nullable Path moreConfigurations;

    @Option(
            names = {"--config-name"},
            paramLabel = "NAME",
            converter = OptionValues.Text.class,
            description = "The primary configuration in that folder, with or without .yaml.")
    private @Nullable String name;

    @Parameters(
            paramLabel = "OVERRIDE",
            arity = "0..*",
            description = "Changes to the configuration, as in Hydra: a.b=c, +a.b=c, ++a.b=c, ~a.b")
    private List<String> overrides = List.of();

    public Optional<Path> file() {
        return Optional.ofNullable(file);
    }

    Optional<Path> directory() {
        return Optional.ofNullable(directory);
    }

    Optional<Path> moreConfigurations() {
        return Optional.ofNullable(moreConfigurations);
    }

    Optional<String> name() {
        return Optional.ofNullable(name);
    }

    List<String> overrides() {
        return List.copyOf(overrides);
    }
}
