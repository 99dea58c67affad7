/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.app.FleetSpec;
import dev.sglangray.config.Config;
import dev.sglangray.config.ConfigLoader;
import dev.sglangray.config.error.ConfigException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** From the options to the fleet that they describe. */
public final class FleetInput {
    private FleetInput() {}

    /**
     * Composes the configuration and binds it. Its secrets are hidden on the console from here on.
     *
     * @throws UsageException when the options name no configuration, or two
     * @throws dev.sglangray.config.error.ConfigException when the configuration is wrong
     */
    public static FleetSpec read(ConfigOptions options, CliContext context) {
        Config root = loader(options, context.environment()).load();
        context.console().hide(root.secretValues());
        try {
            return FleetSpec.of(root, options.selection());
        } catch (ConfigException e) {
            throw new ConfigException(e.problems().stream().map(root::explain).toList());
        }
    }

    /**
     * What loads the configuration that the options name.
     *
     * @throws UsageException when they name none, or two
     */
    public static ConfigLoader.Builder loader(ComposeOptions options, Map<String, String> environment) {
        ConfigLoader.Builder loader =
                ConfigLoader.builder().overrides(options.overrides()).environment(environment);
        Optional<Path> more = options.moreConfigurations();
        Optional<Path> directory = options.directory().or(() -> more);
        if (options.directory().isPresent() || options.file().isPresent()) {
            more.ifPresent(loader::moreConfigurations);
        }
        boolean composed = options.directory().isPresent() || options.name().isPresent();
        if (options.file().isPresent() == composed) {
            throw new UsageException(
                    composed
                            ? "--config names one file, --config-path and --config-name a composed configuration: give one of the two"
                            : "no configuration: give --config FILE, or --config-path DIR --config-name NAME");
        }
        if (composed) {
            loader.configDir(directory.orElseThrow(
                            () -> new UsageException("--config-name needs --config-path, its folder")))
                    .configName(options.name()
                            .orElseThrow(() -> new UsageException(
                                    "--config-path needs --config-name, the primary configuration")));
        } else {
            loader.configFile(options.file().orElseThrow());
        }
        return loader;
    }
}
