/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config;

import dev.sglangray.config.error.ConfigException;
import dev.sglangray.config.error.ConfigProblem;
import dev.sglangray.config.error.ProblemSink;
import dev.sglangray.config.hydra.Composer;
import dev.sglangray.config.hydra.Composition;
import dev.sglangray.config.hydra.PrimaryFile;
import dev.sglangray.config.interpolation.CustomResolver;
import dev.sglangray.config.interpolation.Interpolator;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Loads a configuration as Hydra does with {@code version_base="1.1"}: a primary file, the files that its defaults list
 * names, then overrides. What Hydra keeps for itself under {@code hydra} is left out of the result.
 */
public final class ConfigLoader {
    private final @Nullable PrimaryFile file;
    private final List<Path> folders;
    private final String configName;
    private final List<String> overrides;
    private final Map<String, String> environment;
    private final Map<String, CustomResolver> resolvers;

    private ConfigLoader(Builder from) {
        this.file = from.configFile == null ? null : new PrimaryFile(from.configFile);
        this.folders = Stream.of(from.configDir, from.moreConfigurations)
                .filter(Objects::nonNull)
                .toList();
        this.configName = file == null ? from.configName : file.configName();
        this.overrides = from.overrides;
        this.environment = from.environment;
        this.resolvers = Map.copyOf(from.resolvers);
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
        return load(ProblemSink.STRICT);
    }

    /** Composes what can be composed, and collects what is wrong instead of stopping at it. */
    public CheckedConfig check() {
        List<ConfigProblem> problems = new ArrayList<>();
        try {
            return new CheckedConfig(load(problems::addAll), problems);
        } catch (ConfigException e) {
            problems.addAll(e.problems());
            return new CheckedConfig(null, problems);
        }
    }

    private Config load(ProblemSink sink) {
        Interpolator interpolator = new Interpolator(environment)
                .withHydra(ZonedDateTime.now(ZoneId.systemDefault()))
                .withResolvers(resolvers);
        Composer composer = file == null
                ? new Composer(folders, interpolator, sink)
                : new Composer(file, folders, interpolator, sink);
        Composition composed = composer.compose(configName, overrides);
        return new Config(composed.tree(), interpolator.withHydraSection(composed.hydra()), composed.trails());
    }

    /** Collects what to load. Not for use by several threads. */
    public static final class Builder {
        private @Nullable Path configDir;
        private @Nullable Path configFile;
        private @Nullable Path moreConfigurations;
        private String configName = "config";
        private List<String> overrides = List.of();
        private Map<String, String> environment = System.getenv();
        private final Map<String, CustomResolver> resolvers = new HashMap<>();

        private Builder() {}

        /** The folder of configurations, for use with {@link #configName}. */
        public Builder configDir(Path directory) {
            this.configDir = Objects.requireNonNull(directory, "directory");
            return this;
        }

        /**
         * The primary file, whatever its name; its folder is the folder of configurations. It may be a pipe, which is read once,
         * and {@code /dev/stdin}; for these the working directory is the folder of configurations.
         */
        public Builder configFile(Path file) {
            this.configFile = Objects.requireNonNull(file, "file");
            return this;
        }

        /** One more folder, which is looked in last; Hydra's {@code --config-dir}. */
        public Builder moreConfigurations(Path directory) {
            this.moreConfigurations = Objects.requireNonNull(directory, "directory");
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
         * A function that interpolations may call, as {@code ${name:argument,argument}}.
         *
         * @param name words joined by dots, such as {@code my.sum}; not one that OmegaConf, Hydra or RLinf has
         * @throws IllegalArgumentException when the name is given twice; {@link #load} throws it for one that cannot be used
         */
        public Builder resolver(String name, CustomResolver resolver) {
            if (resolvers.putIfAbsent(name, Objects.requireNonNull(resolver, "resolver")) != null) {
                throw new IllegalArgumentException("the resolver '" + name + "' is given twice");
            }
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
            return new ConfigLoader(this);
        }

        /** Builds and checks. */
        public CheckedConfig check() {
            return build().check();
        }

        /** Builds and loads. */
        public Config load() {
            return build().load();
        }
    }
}
