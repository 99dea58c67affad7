/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import dev.sglangray.config.argument.ArgumentHistory;
import dev.sglangray.config.argument.ArgumentSchema;
import dev.sglangray.config.error.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * The argument schemas of the SGLang and the router that an interpreter has, as JSON text. The Python side keeps its
 * answers, because importing SGLang takes tens of seconds. Immutable; safe for use by many threads.
 */
public final class SchemaDump {
    /** Enough for a cold import of SGLang on a slow machine. */
    public static final Duration DEFAULT_DEADLINE = Duration.ofMinutes(4);

    private final Path packageFolder;

    /** Uses the Python package in a folder that {@link PythonPackage#extractTo} returned. */
    public SchemaDump(Path packageFolder) {
        this.packageFolder = packageFolder;
    }

    /**
     * The schema of what the interpreter has installed.
     *
     * @throws PythonException when the interpreter is missing, lacks the distribution, or fails
     */
    public String dump(String interpreter, SchemaKind kind, Duration deadline) {
        return new PythonModule(interpreter, packageFolder)
                .runForJson("sglang_ray.schema", List.of(kind.word()), deadline);
    }

    /**
     * The schema that travels with this program, of the version that it was tested with: for a machine without SGLang.
     *
     * @throws UncheckedIOException when this program was packaged without it
     */
    public static String bundled(SchemaKind kind) {
        return resource(kind.word());
    }

    /**
     * Which arguments each release has, as {@code prepare schemas} read them from the releases' packages.
     *
     * @throws UncheckedIOException when this program was packaged without it
     */
    public static String releases(SchemaKind kind) {
        return resource("releases-" + kind.word());
    }

    /**
     * What took the place of arguments that later releases do not have, of all kinds.
     *
     * @throws UncheckedIOException when this program was packaged without it
     */
    public static String renames() {
        return resource("renames");
    }

    /**
     * Reads a schema, with what is known of the releases of its package.
     *
     * @throws ConfigException when it is none
     */
    public static ArgumentSchema schema(String json) {
        // A router's schema is that of the router that is installed.
        SchemaKind kind = SchemaKind.valueOf(ArgumentSchema.parse(json).kind().name());
        return ArgumentSchema.parse(json, history(kind));
    }

    /** What is known of the releases of a kind. */
    public static ArgumentHistory history(SchemaKind kind) {
        return ArgumentHistory.parse(releases(kind), renames());
    }

    private static String resource(String file) {
        String name = "schemas/" + file + ".json";
        try (InputStream in = SchemaDump.class.getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException("no such resource");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read " + name + " beside " + SchemaDump.class.getName(), e);
        }
    }
}
