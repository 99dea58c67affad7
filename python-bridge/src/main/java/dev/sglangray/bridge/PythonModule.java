/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Runs a Python program that ends by itself and whose standard output is the answer, such as a module of
 * {@code sglang_ray}. Immutable; safe for use by many threads.
 */
final class PythonModule {
    private static final int MAX_ERROR_LINES = 15;

    private final String interpreter;
    private final Path packageFolder;

    PythonModule(String interpreter, Path packageFolder) {
        this.interpreter = interpreter;
        this.packageFolder = packageFolder;
    }

    /**
     * Runs {@code python -m module arguments…} without accelerators in sight.
     *
     * @return standard output
     * @throws PythonException when the interpreter is missing, the module fails, or the deadline passes
     */
    String run(String module, List<String> arguments, Duration deadline) {
        List<String> command = new ArrayList<>(List.of(interpreter, "-m", module));
        command.addAll(arguments);
        Map<String, String> environment = EnvironmentBuilder.from(System.getenv())
                .pythonPath(packageFolder)
                .build();
        ProcessBuilder builder = new ProcessBuilder(Collections.unmodifiableList(command));
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        Path errors = null;
        Process process = null;
        try {
            errors = Files.createTempFile("sglang-ray-python-", ".err");
            builder.redirectError(errors.toFile());
            process = start(builder);
            CompletableFuture<String> output = readAll(process);
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new PythonException("'" + String.join(" ", command) + "' did not end within "
                        + deadline.toSeconds() + " s." + tail(errors));
            }
            if (process.exitValue() != 0) {
                throw new PythonException("'" + String.join(" ", command) + "' failed with exit code "
                        + process.exitValue() + "." + tail(errors));
            }
            return output.get(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PythonException("Interrupted while '" + String.join(" ", command) + "' ran.", e);
        } catch (IOException | ExecutionException | TimeoutException e) {
            throw new PythonException("Cannot read the answer of '" + String.join(" ", command) + "': " + e, e);
        } finally {
            if (process != null) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
            delete(errors);
        }
    }

    private Process start(ProcessBuilder builder) {
        try {
            return builder.start();
        } catch (IOException e) {
            throw new PythonException(
                    "Cannot run the Python interpreter '" + interpreter + "': " + e.getMessage()
                            + ". Name one that exists on this node.",
                    e);
        }
    }

    private static CompletableFuture<String> readAll(Process process) {
        CompletableFuture<String> text = new CompletableFuture<>();
        Thread reader = new Thread(
                () -> {
                    try (InputStream in = process.getInputStream()) {
                        ByteArrayOutputStream all = new ByteArrayOutputStream();
                        in.transferTo(all);
                        text.complete(all.toString(StandardCharsets.UTF_8));
                    } catch (IOException e) {
                        text.completeExceptionally(e);
                    }
                },
                "sglang-ray-python-output");
        reader.setDaemon(true);
        reader.start();
        return text;
    }

    private static String tail(Path errors) {
        List<String> lines = LogTail.read(errors, MAX_ERROR_LINES);
        return lines.isEmpty() ? "" : " It said:\n  " + String.join("\n  ", lines);
    }

    private static void delete(@Nullable Path file) {
        if (file != null) {
            try {
                Files.deleteIfExists(file);
            } catch (IOException e) {
                file.toFile().deleteOnExit();
            }
        }
    }
}
