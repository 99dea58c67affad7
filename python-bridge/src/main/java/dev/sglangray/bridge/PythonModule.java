/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import dev.sglangray.config.thread.Threads;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs a Python program that ends by itself and whose standard output is the answer, such as a module of
 * {@code sglang_ray}. Immutable; safe for use by many threads.
 */
final class PythonModule {
    private static final int MAX_ERROR_LINES = 15;
    private static final int PATIENCE_SECONDS = 5;

    private final String interpreter;
    private final Path packageFolder;

    PythonModule(String interpreter, Path packageFolder) {
        this.interpreter = interpreter;
        this.packageFolder = packageFolder;
    }

    /**
     * Runs {@code python -m module arguments…}, with what the environment and its {@code PYTHONPATH} bring, but nothing
     * of the working directory.
     *
     * @return standard output
     * @throws PythonException when the interpreter is missing, the module fails, or the deadline passes
     */
    String run(String module, List<String> arguments, Duration deadline) {
        List<String> command = PythonPackage.command(packageFolder, interpreter, module, arguments);
        // As a person would write it.
        String words = "'" + interpreter + " -m " + String.join(" ", command.subList(3, command.size())) + "'";
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().clear();
        builder.environment()
                .putAll(EnvironmentBuilder.from(System.getenv())
                        .pythonPath(packageFolder)
                        .put("PYTHONIOENCODING", "utf-8")
                        .build());
        builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        Process process = start(builder);
        try {
            CompletableFuture<String> output = readAll(process.getInputStream());
            CompletableFuture<String> errors = readAll(process.getErrorStream());
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new PythonException(words + " did not end within " + deadline.toSeconds() + " s." + said(errors));
            }
            if (process.exitValue() != 0) {
                throw new PythonException(words + " failed with exit code " + process.exitValue() + "." + said(errors));
            }
            return output.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PythonException("Interrupted while " + words + " ran.", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new PythonException("Cannot read the answer of " + words + ": " + e, e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    /**
     * As {@link #run}, for a module whose answer is one JSON object. What others print before it, such as a
     * {@code sitecustomize}, is left out.
     */
    String runForJson(String module, List<String> arguments, Duration deadline) {
        String output = run(module, arguments, deadline);
        int begin = output.startsWith("{") ? 0 : output.indexOf("\n{") + 1;
        return output.substring(begin);
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

    private static CompletableFuture<String> readAll(InputStream stream) {
        CompletableFuture<String> text = new CompletableFuture<>();
        Thread unused = Threads.start("sglang-ray-python-output", () -> {
            try (stream) {
                text.complete(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                text.completeExceptionally(e);
            }
        });
        return text;
    }

    /** What it said on standard error, as far as that can be known: something that it started may still hold the pipe. */
    private static String said(CompletableFuture<String> errors) {
        List<String> lines = LogTail.last(
                errors.exceptionally(e -> "")
                        .completeOnTimeout("", 1, TimeUnit.SECONDS)
                        .join(),
                MAX_ERROR_LINES);
        return lines.isEmpty() ? "" : " It said:\n  " + String.join("\n  ", lines);
    }
}
