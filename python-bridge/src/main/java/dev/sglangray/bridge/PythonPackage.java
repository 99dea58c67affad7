/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The Python package {@code sglang_ray} as a folder that a Python can put on its path. It travels inside the jar; in a
 * checkout the system property {@value #PROPERTY} or the variable {@value #VARIABLE} names the source folder instead.
 */
public final class PythonPackage {
    /** System property that names a folder holding {@code sglang_ray}. It wins over the variable. */
    public static final String PROPERTY = "sglangray.python.package";

    /** Environment variable that names a folder holding {@code sglang_ray}. */
    public static final String VARIABLE = "SGLANG_RAY_PYTHON_PACKAGE";

    private static final String ROOT = "sglang_ray_python/";
    private static final String MARKER = ROOT + "sglang_ray/__init__.py";

    private PythonPackage() {}

    /** {@link #extractTo} below this node's own folder. */
    public static Path extract() {
        return extractTo(NodeDirectories.base().resolve("python"));
    }

    /**
     * Writes the package below a folder, in a subfolder named after the content, and returns that subfolder: what belongs
     * on {@code PYTHONPATH}. A file with another content is replaced, each appears whole or not at all; any number of
     * processes may do this at once.
     *
     * @throws NodeFilesException when the folder cannot be written, is not this user's alone, or the jar cannot be read
     */
    public static Path extractTo(Path folder) {
        Path override = override();
        if (override != null) {
            return override;
        }
        try {
            SortedMap<String, byte[]> files = bundled();
            NodeDirectories.ours(folder);
            Path target = NodeDirectories.ours(folder.resolve("sglang_ray-" + hash(files)));
            for (Map.Entry<String, byte[]> file : files.entrySet()) {
                place(target.resolve(file.getKey()), file.getValue());
            }
            return target;
        } catch (IOException e) {
            throw new NodeFilesException(
                    "the Python package cannot be unpacked below " + folder + ": " + NodeDirectories.why(e), e);
        }
    }

    /** The supervisor's script below a folder that {@link #extractTo} returned. */
    public static Path supervisor(Path extracted) {
        return extracted.resolve("sglang_ray").resolve("supervisor.py");
    }

    /**
     * The words that run a module of the package, or of what it needs, without the working directory on the path.
     *
     * @param extracted a folder that {@link #extractTo} returned
     */
    public static List<String> command(Path extracted, String interpreter, String module, List<String> arguments) {
        Path runner = extracted.resolve("sglang_ray").resolve("run_module.py");
        List<String> words = new ArrayList<>(List.of(interpreter, runner.toString(), "-m", module));
        words.addAll(arguments);
        return List.copyOf(words);
    }

    private static @Nullable Path override() {
        String chosen = System.getProperty(PROPERTY, System.getenv(VARIABLE));
        if (chosen == null || chosen.isBlank()) {
            return null;
        }
        Path folder = Path.of(chosen).toAbsolutePath();
        if (!Files.isRegularFile(folder.resolve("sglang_ray").resolve("__init__.py"))) {
            throw new NodeFilesException("'" + chosen + "' (from " + PROPERTY + " or " + VARIABLE
                    + ") holds no sglang_ray/__init__.py; name the folder that contains sglang_ray");
        }
        return folder;
    }

    private static void place(Path file, byte[] content) throws IOException {
        if (has(file, content)) {
            return;
        }
        Path folder = file.getParent();
        if (folder == null) {
            throw new IOException("no folder for " + file);
        }
        Files.createDirectories(folder);
        Path draft = Files.createTempFile(folder, ".draft-", null);
        Files.write(draft, content);
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** A file of the right length may hold anything: a disk that was full, a machine that went down, another user. */
    private static boolean has(Path file, byte[] content) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) || Files.size(file) != content.length) {
            return false;
        }
        return Arrays.equals(Files.readAllBytes(file), content);
    }

    private static String hash(SortedMap<String, byte[]> files) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            files.forEach((name, content) -> {
                digest.update((name + "\n" + content.length + "\n").getBytes(StandardCharsets.UTF_8));
                digest.update(content);
            });
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256.", e);
        }
    }

    private static SortedMap<String, byte[]> bundled() throws IOException {
        URL marker = PythonPackage.class.getClassLoader().getResource(MARKER);
        if (marker == null) {
            throw new IOException("the class path holds no " + MARKER + " (set " + VARIABLE
                    + " to the folder that contains sglang_ray)");
        }
        return "jar".equals(marker.getProtocol()) ? fromJar(marker) : fromFolder(marker);
    }

    private static SortedMap<String, byte[]> fromJar(URL marker) throws IOException {
        SortedMap<String, byte[]> files = new TreeMap<>();
        JarURLConnection connection = (JarURLConnection) marker.openConnection();
        connection.setUseCaches(false);
        try (var jar = connection.getJarFile()) {
            for (var entry : jar.stream().toList()) {
                String name = entry.getName();
                if (!entry.isDirectory() && name.startsWith(ROOT) && isSource(name)) {
                    try (InputStream in = jar.getInputStream(entry)) {
                        files.put(name.substring(ROOT.length()), in.readAllBytes());
                    }
                }
            }
        }
        return files;
    }

    private static SortedMap<String, byte[]> fromFolder(URL marker) throws IOException {
        SortedMap<String, byte[]> files = new TreeMap<>();
        try {
            Path root = Path.of(marker.toURI()).resolve("../..").normalize();
            try (Stream<Path> walk = Files.walk(root)) {
                for (Path file : walk.filter(Files::isRegularFile).toList()) {
                    String name = root.relativize(file).toString();
                    if (isSource(name)) {
                        files.put(name, Files.readAllBytes(file));
                    }
                }
            }
        } catch (URISyntaxException e) {
            throw new IOException("not a folder: " + marker, e);
        }
        return files;
    }

    private static boolean isSource(String name) {
        return !name.contains("__pycache__") && !name.endsWith(".pyc") && !name.contains(".egg-info/");
    }
}
