/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.hydra.Composer;
import dev.sglangray.config.interpolation.Interpolator;
import dev.sglangray.config.tree.MapNode;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Loads a configuration as Hydra does with {@code version_base="1.1"}: a primary file, the files that its defaults list
 * names, then overrides. What Hydra keeps for itself under {@code hydra} is left out of the result.
 */
public final class ConfigLoader {
    private final Path configDir;
    private final String configName;
    private final List<String> overrides;
    private final Map<String, String> environment;

    private ConfigLoader(Path configDir, String configName, List<String> overrides, Map<String, String> environment) {
        this.configDir = configDir;
        this.configName = configName;
        this.overrides = overrides;
        this.environment = environment;
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Composes the configuration.
     *
     * @throws ConfigException when a file is missing or no YAML, the composition fails, or an override does not fit
     */
    public Config load() {
        Interpolator interpolator = new Interpolator(environment).withHydra(ZonedDateTime.now(ZoneId.systemDefault()));
        MapNode tree = new Composer(configDir, interpolator).compose(configName, overrides);
        return new Config(tree, interpolator);
    }

    /** Collects what to load. Not for use by several threads. */
    public static final class Builder {
        private @Nullable Path configDir;
        private @Nullable Path configFile;
        private String configName = "config";
        private List<String> overrides = List.of();
        private Map<String, String> environment = System.getenv();

        private Builder() {}

        /** The folder of configurations, for use with {@link #configName}. */
        public Builder configDir(Path directory) {
            this.configDir = Objects.requireNonNull(directory, "directory");
            return this;
        }

        /** The primary file; its folder is the folder of configurations. */
        public Builder configFile(Path file) {
            this.configFile = Objects.requireNonNull(file, "file");
            return this;
        }

        /** The primary file's path in the folder, without {@code .yaml}; {@code config} by default. */
        public Builder configName(String name) {
            this.configName = Objects.requireNonNull(name, "name");
            return this;
        }

        /** Overrides in Hydra's grammar, in order. */
        public Builder overrides(List<String> lines) {
            this.overrides = List.copyOf(lines);
            return this;
        }

        /** The environment variables that {@code oc.env} reads; those of this process by default. */
        public Builder environment(Map<String, String> variables) {
            this.environment = Map.copyOf(variables);
            return this;
        }

        /**
         * The loader.
         *
         * @throws IllegalStateException unless exactly one of folder and file is given
         */
        public ConfigLoader build() {
            if ((configDir == null) == (configFile == null)) {
                throw new IllegalStateException("give either a folder of configurations or a configuration file");
            }
            if (configFile != null) {
                Path file = configFile.toAbsolutePath();
                Path folder = Objects.requireNonNull(file.getParent(), "folder of the file");
                return new ConfigLoader(folder, String.valueOf(file.getFileName()), overrides, environment);
            }
            return new ConfigLoader(Objects.requireNonNull(configDir), configName, overrides, environment);
        }

        /** Builds and loads. */
        public Config load() {
            return build().load();
        }
    }
}
