/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The argument schemas of the SGLang and the router that an interpreter has, as JSON text. Importing SGLang takes tens of
 * seconds, so an answer is kept in a folder, one file per kind, interpreter and version. Safe for use by many threads and
 * processes.
 */
public final class SchemaDump {
    private static final Logger LOG = LoggerFactory.getLogger(SchemaDump.class);

    /** Enough for a cold import of SGLang on a slow machine. */
    public static final Duration DEFAULT_DEADLINE = Duration.ofMinutes(4);

    private final Path packageFolder;
    private final Path cacheFolder;

    /**
     * Chooses the folders.
     *
     * @param packageFolder what {@link PythonPackage#extractTo} returned
     * @param cacheFolder where answers are kept; made when needed
     */
    public SchemaDump(Path packageFolder, Path cacheFolder) {
        this.packageFolder = packageFolder;
        this.cacheFolder = cacheFolder;
    }

    /** The package and the cache in this node's own folder. */
    public static SchemaDump ofThisNode() {
        Path base = NodeDirectories.base();
        return new SchemaDump(PythonPackage.extractTo(base.resolve("python")), base.resolve("schemas"));
    }

    /**
     * The schema of what the interpreter has installed.
     *
     * @throws PythonException when the interpreter is missing, lacks the distribution, or fails
     */
    public String dump(String interpreter, SchemaKind kind, Duration deadline) {
        PythonVersions versions = new PythonProbe(packageFolder).versions(interpreter, PythonProbe.DEFAULT_DEADLINE);
        String version = kind.versionIn(versions);
        if (version == null) {
            throw new PythonException(PythonProbe.missing(versions, kind.distribution()));
        }
        Path file = cacheFolder.resolve(key(kind, versions, version));
        try {
            if (Files.isRegularFile(file)) {
                return Files.readString(file);
            }
        } catch (IOException e) {
            LOG.warn("Cannot read the kept schema {}: {}", file, e.getMessage());
        }
        String json =
                new PythonModule(interpreter, packageFolder).run("sglang_ray.schema", List.of(kind.word()), deadline);
        keep(file, json);
        return json;
    }

    /**
     * The schema that travels with this program, of the version it was tested with, for a driver whose own machine has no
     * SGLang.
     */
    public static Optional<String> bundled(SchemaKind kind) {
        String name = "dev/sglangray/bridge/schemas/" + kind.word() + ".json";
        try (InputStream in = SchemaDump.class.getClassLoader().getResourceAsStream(name)) {
            return in == null ? Optional.empty() : Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + name + " of the class path", e);
        }
    }

    private String key(SchemaKind kind, PythonVersions versions, String version) {
        // The package's folder carries a hash of the code that makes the answer.
        String origin = versions.executable() + "\n" + packageFolder;
        return kind.word() + "-" + version + "-" + Integer.toHexString(origin.hashCode()) + ".json";
    }

    private static void keep(Path file, String json) {
        try {
            Path folder = file.toAbsolutePath().getParent();
            if (folder == null) {
                return;
            }
            Files.createDirectories(folder);
            Path draft = Files.createTempFile(folder, ".draft-", null);
            Files.writeString(draft, json);
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("Cannot keep the schema in {}: {}", file, e.getMessage());
        }
    }
}
