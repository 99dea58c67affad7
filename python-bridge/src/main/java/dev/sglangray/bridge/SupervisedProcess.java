/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.config.thread.Threads;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A child process that cannot outlive this JVM. It runs under the two-stage supervisor of the Python package: the JVM
 * holds the only write end of a pipe, and when that end closes, however the JVM came to die, the supervisor ends the
 * child and every descendant of it.
 *
 * <p>Safe for use by many threads. The child does not depend on the thread that started it.
 */
public final class SupervisedProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SupervisedProcess.class);

    /** A supervisor is a small script: it answers within tens of milliseconds unless the machine is drowning. */
    private static final Duration START_DEADLINE = Duration.ofSeconds(60);
    /** After SIGKILL nothing but the kernel is waited for. */
    private static final Duration KILL_DEADLINE = Duration.ofSeconds(5);

    /** A sweep takes up to ten seconds where the kernel is slow to end a process. */
    private static final Duration SWEEP_DEADLINE = Duration.ofSeconds(15);
    /** By this variable the supervisor's sweep finds what the child has left. */
    private static final String MARK = "SGLANG_RAY_TREE";

    /** Longer than the graces of the supervisors that were forked below it, which end their own trees first and say so. */
    private static final Duration LISTENER_OWNER_GRACE = ProcessSpec.DEFAULT_GRACE.plusSeconds(2);

    private static final int FILE_TYPE = 0170000;
    private static final int FIFO = 0010000;

    private final ProcessSpec spec;
    private final SupervisorLink supervisor;
    /** Completes when the fork server has forked the supervisor; no order is sent before. Unused for one that is a program. */
    private final CompletableFuture<Void> forked = new CompletableFuture<>();

    private final CompletableFuture<Long> started = new CompletableFuture<>();
    private volatile long watcherPid = -1;
    private final String mark = UUID.randomUUID().toString();
    /** The supervisor has not said that the child's end is complete. For the thread that reads the events. */
    private boolean supervised = true;
    /** The events have ended: nothing of the tree is left, nor of the supervisor, whose relay Ray may kill earlier. */
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    private final CompletableFuture<ProcessExit> exit = new CompletableFuture<>();

    private SupervisedProcess(ProcessSpec spec, SupervisorLink supervisor) {
        this.spec = spec;
        this.supervisor = supervisor;
    }

    /**
     * Starts the child and returns once it runs.
     *
     * @throws ProcessStartException when it cannot be started; nothing is left then
     */
    public static SupervisedProcess start(ProcessSpec spec) {
        return start(spec, Map.of());
    }

    /**
     * As {@link #start(ProcessSpec)}; the child's standard input is a Unix socket that listens at a path. Connections wait there until
     * the child accepts them. What the child forks stays when it ends, until this object is closed or this JVM dies.
     */
    static SupervisedProcess listening(ProcessSpec spec, Path socket) {
        return start(spec, Map.of("listen", socket.toString(), "owner_grace_s", seconds(LISTENER_OWNER_GRACE)));
    }

    private static SupervisedProcess start(ProcessSpec spec, Map<String, ?> more) {
        List<String> command = List.of(
                spec.supervisorPython(), "-I", "-S", spec.supervisorScript().toString());
        Process process;
        try {
            prepareLog(spec.logFile().toAbsolutePath());
            // The supervisor's own complaints go where those of the child go.
            process = new ProcessBuilder(command)
                    .redirectError(
                            ProcessBuilder.Redirect.appendTo(spec.logFile().toFile()))
                    .start();
        } catch (IOException e) {
            throw new ProcessStartException(
                    "Cannot start the supervisor of '" + spec.name() + "' with " + command + ": " + e.getMessage()
                            + ". The Python interpreter must exist on this node and the log folder must be writable ("
                            + spec.logFile() + ").",
                    e);
        }
        SupervisedProcess child = new SupervisedProcess(spec, SupervisorLink.of(process));
        child.listen();
        child.launch(more);
        return child;
    }

    /**
     * As {@link #start(ProcessSpec)}, by a supervisor that a fork server forks for a connection.
     *
     * @param patience how long the fork may take
     * @throws NotForkedException when there is none; nothing is left then
     */
    static SupervisedProcess forked(ProcessSpec spec, SupervisorLink connection, Duration patience)
            throws NotForkedException {
        SupervisedProcess child = new SupervisedProcess(spec, connection);
        try {
            prepareLog(spec.logFile().toAbsolutePath());
            child.listen();
            child.forked.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (IOException | TimeoutException e) {
            connection.close();
            throw new NotForkedException(
                    e instanceof TimeoutException
                            ? "the fork server did not answer within " + patience.toSeconds() + " s"
                            : NodeDirectories.why(e));
        } catch (ExecutionException e) {
            connection.close();
            throw new NotForkedException(reason(e));
        } catch (InterruptedException e) {
            connection.close();
            Thread.currentThread().interrupt();
            throw new ProcessStartException("Interrupted while '" + spec.name() + "' was starting.");
        }
        child.launch(Map.of());
        return child;
    }

    private void listen() {
        Thread unused = Threads.start("sglang-ray-child-" + spec.name(), this::readEvents);
    }

    private void launch(Map<String, ?> more) {
        Map<String, Object> order = firstOrder();
        order.putAll(more);
        order(order);
        awaitStarted();
    }

    /** The log holds what users send and what engines answer, so it is not for everybody. */
    private static void prepareLog(Path log) throws IOException {
        Path folder = log.getParent();
        if (folder != null) {
            Files.createDirectories(folder);
        }
        try {
            Files.createFile(log, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (FileAlreadyExistsException e) {
            int mode = ((Number) Files.getAttribute(log, "unix:mode")).intValue();
            if ((mode & FILE_TYPE) == FIFO) {
                // To open it would wait until a reader opens it.
                throw new IOException(log + " is a FIFO", e);
            }
        }
    }

    private Map<String, Object> firstOrder() {
        Map<String, Object> order = new LinkedHashMap<>();
        order.put("command", spec.command());
        Map<String, String> environment = new LinkedHashMap<>(spec.environment());
        environment.put(MARK, mark);
        order.put("env", environment);
        Path directory = spec.workingDirectory();
        order.put("cwd", directory == null ? null : directory.toString());
        order.put("stdin", spec.stdin());
        order.put("log_file", spec.logFile().toAbsolutePath().toString());
        order.put("grace_s", seconds(spec.grace()));
        return order;
    }

    private void awaitStarted() {
        try {
            started.get(START_DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            kill();
            throw new ProcessStartException("Cannot start '" + spec.name() + "': " + reason(e));
        } catch (TimeoutException e) {
            kill();
            throw new ProcessStartException("The supervisor of '" + spec.name() + "' did not answer within "
                    + START_DEADLINE.toSeconds() + " s. Its log is " + spec.logFile() + ".");
        } catch (InterruptedException e) {
            kill();
            Thread.currentThread().interrupt();
            throw new ProcessStartException("Interrupted while '" + spec.name() + "' was starting.");
        }
    }

    private static String reason(ExecutionException e) {
        Throwable cause = e.getCause();
        return String.valueOf((cause == null ? e : cause).getMessage());
    }

    private void readEvents() {
        String lastLine = "";
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(supervisor.events(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                lastLine = line;
                onEvent(line);
            }
        } catch (IOException e) {
            LOG.debug("The event stream of {} broke: {}", spec.name(), e.getMessage());
        } finally {
            exit.complete(new ProcessExit(null, null));
            forked.completeExceptionally(new IllegalStateException("the fork server ended"));
            if (supervised && started.isDone() && !started.isCompletedExceptionally()) {
                sweep();
            }
            ended.complete(null);
            if (!started.isDone()) {
                started.completeExceptionally(
                        new IllegalStateException("the supervisor ended before it started the child"
                                + (lastLine.isEmpty() ? "" : " (it last said: " + lastLine + ")") + tailForError()));
            }
        }
    }

    /** The supervisor's two processes were both killed, so this JVM ends what they watched over. */
    private void sweep() {
        LOG.warn("Both processes of the supervisor of {} were killed; what is left of it is ended", spec.name());
        try {
            Process sweep = new ProcessBuilder(
                            spec.supervisorPython(),
                            "-I",
                            "-S",
                            spec.supervisorScript().toString(),
                            "--sweep",
                            mark,
                            Long.toString(pid()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!sweep.waitFor(SWEEP_DEADLINE.toMillis(), TimeUnit.MILLISECONDS) || sweep.exitValue() != 0) {
                sweep.destroyForcibly();
                LOG.warn("Processes of {} are left that SIGKILL did not end", spec.name());
            }
        } catch (IOException e) {
            LOG.warn("What is left of {} cannot be ended: {}", spec.name(), e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void onEvent(String line) {
        JsonNode event;
        try {
            event = BridgeJson.MAPPER.readTree(line);
        } catch (IOException e) {
            LOG.warn("The supervisor of {} said something that is not JSON: {}", spec.name(), line);
            return;
        }
        switch (event.path("event").asText()) {
            case "forked" -> forked.complete(null);
            case "stale" ->
                forked.completeExceptionally(new IllegalStateException(
                        "the fork server was stale: " + event.path("error").asText()));
            case "started" -> {
                watcherPid = event.path("supervisor_pid").asLong(-1);
                started.complete(event.path("pid").asLong());
            }
            case "main_exited" -> exit.complete(exit(event));
            case "exited" -> {
                supervised = false;
                exit.complete(exit(event));
            }
            case "warning" ->
                LOG.warn(
                        "The supervisor of {}: {}",
                        spec.name(),
                        event.path("message").asText());
            case "failed" ->
                started.completeExceptionally(
                        new IllegalStateException(event.path("error").asText()));
            default -> LOG.debug("An event of {} that is new to us: {}", spec.name(), line);
        }
    }

    private static ProcessExit exit(JsonNode event) {
        return new ProcessExit(
                event.path("code").isInt() ? Integer.valueOf(event.path("code").intValue()) : null,
                event.path("signal").isTextual() ? event.path("signal").asText() : null,
                event.path("cause").isTextual() ? event.path("cause").asText() : null);
    }

    private String tailForError() {
        List<String> tail = LogTail.read(spec.logFile(), 10);
        return tail.isEmpty() ? "" : "\n  " + String.join("\n  ", tail);
    }

    /** The process id of the child itself (not of its supervisor). */
    public long pid() {
        return started.join();
    }

    /** Whether a process is the child or one of its descendants, orphans included. */
    public boolean owns(ListeningProcess holder) {
        return holder.descendsFrom(pid()) || (watcherPid > 0 && holder.descendsFrom(watcherPid));
    }

    /** Whether it was forked, not executed. */
    boolean isForked() {
        return forked.isDone() && !forked.isCompletedExceptionally();
    }

    /** Whether the child has not been seen to exit. Its descendants may outlive it by the moment the clean-up takes. */
    public boolean isAlive() {
        return !exit.isDone();
    }

    /** Whether nothing is left of the child and its descendants. */
    boolean isGone() {
        return ended.isDone();
    }

    /**
     * Completes, never exceptionally, as soon as the child itself exits. Every call gives a copy, so completing or
     * cancelling one does no harm. What is chained on it runs on a thread that must not block.
     */
    public CompletableFuture<ProcessExit> onExit() {
        return exit.copy();
    }

    /** Where the child's output goes. */
    public Path logFile() {
        return spec.logFile();
    }

    /** The last lines of the child's output, oldest first. */
    public List<String> logTail(int lines) {
        return LogTail.read(spec.logFile(), lines);
    }

    /**
     * Ends the child and all its descendants, and returns when all are gone: SIGTERM, after the grace SIGKILL. Calling it
     * again, or after the child's own end, is harmless. An interrupt turns it into an immediate SIGKILL and is restored.
     *
     * @return how the child ended
     */
    public ProcessExit terminate(Duration grace) {
        order(Map.of("op", "terminate", "grace_s", seconds(grace)));
        try {
            ended.get(grace.plus(KILL_DEADLINE).toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.warn("{} did not end within {} s after SIGTERM; killing it", spec.name(), grace.toSeconds());
            kill();
        } catch (InterruptedException e) {
            kill();
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException("This future never fails.", e);
        }
        return exit.getNow(new ProcessExit(null, null));
    }

    /**
     * Lets the supervisor look for the child's ranks now, whose deaths are then noticed at once; it looks by itself now and then. For a
     * child that has just made all of them. Does not wait.
     */
    public void lookForRanks() {
        order(Map.of("op", "look"));
    }

    /** SIGKILL for the child alone. Does not wait. */
    void killChild() {
        order(Map.of("op", "kill_command"));
    }

    /** SIGKILL for everything, at once; waits a few seconds at most, whether or not the thread is interrupted. */
    private void kill() {
        order(Map.of("op", "kill"));
        // Joining does not heed interrupts.
        ended.copy()
                .completeOnTimeout(null, KILL_DEADLINE.toMillis(), TimeUnit.MILLISECONDS)
                .join();
        // The end of the pipe is the order that cannot be overheard.
        closeQuietly();
        supervisor.close();
    }

    private synchronized void order(Map<String, ?> order) {
        try {
            OutputStream orders = supervisor.orders();
            orders.write(BridgeJson.MAPPER.writeValueAsBytes(order));
            orders.write('\n');
            orders.flush();
        } catch (IOException e) {
            // A broken pipe: the supervisor is gone, and with it all it watched over.
            LOG.debug("{} took no order: {}", spec.name(), e.getMessage());
        }
    }

    private synchronized void closeQuietly() {
        try {
            supervisor.orders().close();
        } catch (IOException e) {
            LOG.debug("Closing the pipe of {}: {}", spec.name(), e.getMessage());
        }
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }

    /** As {@link #terminate} with the grace of the spec. */
    @Override
    public void close() {
        terminate(spec.grace());
        closeQuietly();
    }
}
