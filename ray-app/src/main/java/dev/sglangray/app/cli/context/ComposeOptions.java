/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.config.ConfigLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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

    /**
     * What loads the configuration that these options name.
     *
     * @throws UsageException when they name none, or two
     */
    public ConfigLoader.Builder loader(Map<String, String> environment) {
        ConfigLoader.Builder loader =
                ConfigLoader.builder().overrides(List.copyOf(overrides)).environment(environment);
        if (moreConfigurations != null && (directory != null || file != null)) {
            loader.moreConfigurations(moreConfigurations);
        }
        boolean composed = directory != null || name != null;
        if ((file != null) == composed) {
            throw new UsageException(
                    composed
                            ? "--config names one file, --config-path and --config-name a composed configuration: give one of the two"
                            : "no configuration: give --config FILE, or --config-path DIR --config-name NAME");
        }
        if (file != null) {
            return loader.configFile(file);
        }
        Path folder = directory == null ? moreConfigurations : directory;
        if (folder == null) {
            throw new UsageException("--config-name needs --config-path, its folder");
        }
        if (name == null) {
            throw new UsageException("--config-path needs --config-name, the primary configuration");
        }
        return loader.configDir(folder).configName(name);
    }
}
