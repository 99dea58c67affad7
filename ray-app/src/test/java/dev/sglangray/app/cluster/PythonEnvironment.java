/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A prepared Python environment.
 *
 * @param home the folder that holds {@code bin/python}
 */
public record PythonEnvironment(Path home) {

    /** The Ray of the environment that also has SGLang and its router. */
    public static final String NEWEST_RAY = "2.60.0";

    public static final String LOWEST_RAY = "2.39.0";

    /**
     * The environment with the given version of Ray: the system property {@code sglangray.test.python.VERSION} if set,
     * else the one that {@code python-bridge/prepare} made.
     *
     * @throws AssertionError if there is none; the message names the command that makes it
     */
    public static PythonEnvironment withRay(String version) {
        return find(version, version.equals(NEWEST_RAY) ? "run" : "ray-" + version);
    }

    /**
     * The environment with SGLang and its router: the system property {@code sglangray.test.python.sglang} if set, else
     * the one that {@code python-bridge/prepare} made.
     *
     * @throws AssertionError if there is none; the message names the command that makes it
     */
    public static PythonEnvironment withSglang() {
        return find("sglang", "run");
    }

    /** The environment that checks the Python side; it also has uvicorn with httptools. Found as the others are. */
    public static PythonEnvironment withTools() {
        return find("tools", "tools");
    }

    public Path bin() {
        return home.resolve("bin");
    }

    public Path python() {
        return bin().resolve("python");
    }

    public Path ray() {
        return bin().resolve("ray");
    }

    /** The folder of Ray's own jars, among them {@code ray_dist.jar}. */
    public Path rayJars() {
        return sitePackages().resolve("ray/jars");
    }

    public Path sitePackages() {
        try (DirectoryStream<Path> versions = Files.newDirectoryStream(home.resolve("lib"), "python3*")) {
            return versions.iterator().next().resolve("site-packages");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PythonEnvironment find(String property, String prepared) {
        String configured = System.getProperty("sglangray.test.python." + property);
        Path home = configured == null || configured.isBlank() ? prepared(prepared) : Path.of(configured);
        if (!Files.isExecutable(home.resolve("bin/python"))) {
            throw new AssertionError("no Python environment at " + home + "; make it with: python-bridge/prepare "
                    + prepared + " (or set -Dsglangray.test.python." + property + "=FOLDER)");
        }
        return new PythonEnvironment(home);
    }

    private static Path prepared(String name) {
        Path script = repository().resolve("python-bridge/prepare");
        try {
            Process process = new ProcessBuilder(script.toString(), "path", name).start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (process.waitFor() != 0 || out.isEmpty()) {
                throw new AssertionError("no Python environment '" + name + "'; make it with: python-bridge/prepare "
                        + name + "\n" + err);
            }
            return Path.of(out.lines().reduce((first, second) -> second).orElse(out));
        } catch (IOException e) {
            throw new AssertionError("cannot run " + script + " path " + name, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while running " + script, e);
        }
    }

    /** The root of this project's checkout. */
    public static Path repository() {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve("python-bridge")) && Files.isDirectory(folder.resolve("ray-app"))) {
                return folder;
            }
        }
        throw new AssertionError("not inside the project: " + Path.of("").toAbsolutePath());
    }
}
