/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the start script found: the jar, the Python, and the folder with the example configurations. */
public final class Launcher {
    private final @Nullable Path jar;
    private final @Nullable String python;
    private final @Nullable Path conf;

    public Launcher(@Nullable Path jar, @Nullable String python, @Nullable Path conf) {
        this.jar = jar;
        this.python = python;
        this.conf = conf;
    }

    public static Launcher fromSystemProperties() {
        return new Launcher(path("sglangray.jar"), text("sglangray.python"), path("sglangray.conf"));
    }

    /** The application's jar, absolute. */
    public Path requireJar() {
        if (jar == null) {
            throw new EnvironmentException("the application's jar is not known: start it with the script sglang-ray");
        }
        return jar;
    }

    /** A Python with ray. */
    public String requirePython() {
        if (python == null) {
            throw new EnvironmentException("no Python with ray is known: start with the script sglang-ray, "
                    + "and set SGLANG_RAY_PYTHON if it finds none");
        }
        return python;
    }

    /** A Python with ray, where one was found. */
    public Optional<String> python() {
        return Optional.ofNullable(python);
    }

    /** The folder of example configurations. */
    public Optional<Path> conf() {
        return Optional.ofNullable(conf);
    }

    private static @Nullable String text(String property) {
        String value = System.getProperty(property, "");
        return value.isBlank() ? null : value;
    }

    private static @Nullable Path path(String property) {
        String value = text(property);
        return value == null ? null : Path.of(value).toAbsolutePath();
    }
}
