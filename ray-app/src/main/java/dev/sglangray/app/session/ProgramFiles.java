/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import dev.sglangray.workers.ray.ObjectRefPoller;
import java.io.File;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The files that this program needs on the driver's machine.
 *
 * @param jar the application's jar, which workers load our classes from
 * @param python the Python whose Ray this driver runs with: a path or a name on PATH
 */
public record ProgramFiles(Path jar, String python) {
    private static final String JAR_PROPERTY = "sglangray.jar";
    private static final String CLASSES_PROPERTY = "sglangray.classpath";
    private static final String PYTHON_PROPERTY = "sglangray.python";
    private static final String PYTHON_VARIABLE = "SGLANG_RAY_PYTHON";

    /**
     * What the start script found; without it the jar that this class comes from and SGLANG_RAY_PYTHON, else python3.
     *
     * @throws SessionException when our classes do not come from one jar
     */
    static ProgramFiles find() {
        String jar = System.getProperty(JAR_PROPERTY, "");
        return new ProgramFiles(jar.isBlank() ? ownJar() : Path.of(jar).toAbsolutePath(), defaultPython());
    }

    /** The program's Python: what the start script found, else SGLANG_RAY_PYTHON, else python3. */
    public static String defaultPython() {
        return python(System.getProperty(PYTHON_PROPERTY, ""), System.getenv());
    }

    /** Where workers look for classes: the jar, and the class path of a program that {@code sglang-ray run} started. */
    static String codeSearchPath(Path jar) {
        String classes = System.getProperty(CLASSES_PROPERTY, "");
        return Stream.concat(
                        Stream.of(jar),
                        Arrays.stream(classes.split(File.pathSeparator))
                                .filter(entry -> !entry.isBlank())
                                .map(Path::of))
                .map(path -> path.toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    static String python(String property, Map<String, String> environment) {
        if (!property.isBlank()) {
            return property;
        }
        String variable = environment.getOrDefault(PYTHON_VARIABLE, "");
        return variable.isBlank() ? "python3" : variable;
    }

    private static Path ownJar() {
        CodeSource source = ProgramFiles.class.getProtectionDomain().getCodeSource();
        if (source != null && source.getLocation() != null) {
            Path path = path(source.getLocation().toString());
            if (Files.isRegularFile(path)) {
                requireWhole(path, ProgramFiles.class, ObjectRefPoller.class);
                return path;
            }
        }
        throw new SessionException(
                "the application's jar is not known: start the program with `sglang-ray run`, or set "
                        + "the system property " + JAR_PROPERTY + " to sglang-ray.jar");
    }

    /** A module's own jar, as a build tool puts it on the class path, is not enough for a worker. */
    static void requireWhole(Path jar, Class<?> ours, Class<?> ofAnotherModule) {
        if (!ours.getProtectionDomain()
                .getCodeSource()
                .equals(ofAnotherModule.getProtectionDomain().getCodeSource())) {
            throw new SessionException(jar
                    + " holds a part of sglang-ray, and workers need the whole: start the program "
                    + "with `sglang-ray run`, or set the system property " + JAR_PROPERTY + " to sglang-ray.jar");
        }
    }

    private static Path path(String location) {
        try {
            return Path.of(new URI(location));
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw new SessionException("the application's jar has no path: " + location, e);
        }
    }
}
