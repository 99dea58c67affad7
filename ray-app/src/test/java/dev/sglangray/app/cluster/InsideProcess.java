/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cluster;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A running command of a test inside a node, in a session and process group of its own, as a shell starts one.
 *
 * <p>Its output goes to two files under the cluster's log folder. Closing it kills it.
 */
public final class InsideProcess implements AutoCloseable {

    private final List<String> command;
    private final Process entered;
    private final Path out;
    private final Path err;
    private final long startedAt = System.nanoTime();

    InsideProcess(List<String> command, Process entered, Path out, Path err) {
        this.command = List.copyOf(command);
        this.entered = entered;
        this.out = out;
        this.err = err;
    }

    /** The id, outside, of the command itself; empty once it has ended. */
    public Optional<Long> pid() {
        return entered.children().map(ProcessHandle::pid).findFirst();
    }

    public boolean isAlive() {
        return entered.isAlive();
    }

    public String stdout() {
        return read(out);
    }

    /** The whole lines that it has written to its output from an offset in bytes on. */
    public String linesFrom(long offset) {
        try (RandomAccessFile file = new RandomAccessFile(out.toFile(), "r")) {
            byte[] bytes = new byte[(int) (file.length() - offset)];
            file.seek(offset);
            file.readFully(bytes);
            String text = new String(bytes, StandardCharsets.UTF_8);
            return text.substring(0, text.lastIndexOf('\n') + 1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String stderr() {
        return read(err);
    }

    /** Waits for the end.
     *
     * @throws AssertionError if it has not ended in time; it is then killed, and the message has what it wrote
     */
    public ExitResult await(Duration deadline) {
        try {
            if (entered.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                return result(entered.exitValue());
            }
            close();
            throw new AssertionError("no end within " + deadline.toSeconds() + " s: " + result(137));
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while waiting for " + String.join(" ", command), e);
        }
    }

    /** Waits until the standard output or error contains a text.
     *
     * @throws AssertionError if it doesn't in time or the command ends without it; the message has what it wrote
     */
    public InsideProcess awaitOutput(String text, Duration deadline) {
        try {
            Awaitility.await("'" + text + "' in the output")
                    .atMost(deadline)
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> says(text) || !entered.isAlive());
        } catch (ConditionTimeoutException late) {
            throw new AssertionError("no '" + text + "' within " + deadline.toSeconds() + " s: " + result(-1), late);
        }
        if (!says(text)) {
            throw new AssertionError("ended without '" + text + "': " + result(entered.exitValue()));
        }
        return this;
    }

    private boolean says(String text) {
        return stdout().contains(text) || stderr().contains(text);
    }

    /** Sends a signal, such as INT, to the command alone. */
    public void signal(String name) {
        pid().ifPresent(pid -> kill(name, Long.toString(pid)));
        if (name.equals("CONT")) {
            // nsenter stops with its child, but does not go on with it.
            kill(name, Long.toString(entered.pid()));
        }
    }

    /** Sends a signal to the command's process group, as a terminal does for Ctrl-C. */
    public void signalGroup(String name) {
        pid().ifPresent(pid -> kill(name, "-" + pid));
    }

    /** Sends a signal to the process or, if it starts with a minus, group of this id outside. */
    static void kill(String signal, String target) {
        try {
            new ProcessBuilder("kill", "-" + signal, "--", target)
                    .redirectErrorStream(true)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private ExitResult result(int code) {
        Duration duration = Duration.ofNanos(System.nanoTime() - startedAt);
        return new ExitResult(command, code, stdout(), stderr(), duration);
    }

    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Kills the command; its descendants are the business of whoever started them. */
    @Override
    public void close() {
        signal("KILL");
        entered.destroyForcibly();
    }
}
