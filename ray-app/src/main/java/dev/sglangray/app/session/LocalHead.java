/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import dev.sglangray.bridge.EnvironmentBuilder;
import dev.sglangray.bridge.PortAllocator;
import dev.sglangray.bridge.PortLease;
import dev.sglangray.bridge.ProcessExit;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.bridge.PythonPackage;
import dev.sglangray.bridge.SupervisedProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Ray head on this machine that lives as long as its owner.
 *
 * <p>It runs in the foreground under the supervisor, so that it ends with this process however that ends, and it is
 * stopped by ending its own processes: never with {@code ray stop}, which stops every cluster on the machine. Its
 * session folder is its own, so that a cluster that runs here already keeps its {@code /tmp/ray}. It has no API server, no
 * server of Ray Client, no autoscaler and no log monitor, which only a shared cluster needs. Not safe for use by
 * several threads at once, except {@link #close()}.
 */
public final class LocalHead implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LocalHead.class);
    private static final Duration POLL = Duration.ofMillis(50);
    // Ray's processes have nothing to save here, and some of them sit out any grace.
    private static final Duration STOP_GRACE = Duration.ofMillis(100);
    private static final String READY = "Ray runtime started.";
    private static final Pattern ADDRESS = Pattern.compile("--address='([^']+)'");
    private static final int TAIL_LINES = 20;

    private final SupervisedProcess process;
    private final PortLease port;
    private final HeadFolder folder;
    private boolean closed;

    private LocalHead(SupervisedProcess process, PortLease port, HeadFolder folder) {
        this.process = process;
        this.port = port;
        this.folder = folder;
    }

    /**
     * Starts a head and returns at once; {@link #awaitReady} tells when it can be joined.
     *
     * @param python a Python that has ray
     * @param accelerators how many accelerators (Ray's resource GPU) the node has; empty lets Ray count them
     * @throws SessionException when it cannot be started
     */
    public static LocalHead start(String python, OptionalInt accelerators) {
        PortLease port = new PortAllocator().acquire();
        HeadFolder folder;
        try {
            folder = newFolder();
        } catch (RuntimeException e) {
            port.close();
            throw e;
        }
        List<String> options = new ArrayList<>(List.of(
                "--block",
                "--port=" + port.port(),
                "--temp-dir=" + folder.path().resolve("ray"),
                "--include-dashboard=false",
                "--disable-usage-stats",
                "--log-color=false"));
        accelerators.ifPresent(count -> options.add("--num-gpus=" + count));
        try {
            Path packageFolder = PythonPackage.extract();
            Map<String, String> environment = new HashMap<>(EnvironmentBuilder.from(System.getenv())
                    .pythonPath(packageFolder)
                    .build());
            environment.remove("RAY_ADDRESS");
            SupervisedProcess process = SupervisedProcess.start(new ProcessSpec(
                    "ray-head",
                    python,
                    PythonPackage.supervisor(packageFolder),
                    PythonPackage.command(packageFolder, python, "sglang_ray.local_head", options),
                    environment,
                    null,
                    null,
                    folder.path().resolve("head.log"),
                    STOP_GRACE));
            return new LocalHead(process, port, folder);
        } catch (RuntimeException e) {
            port.close();
            folder.close();
            throw new SessionException("a local Ray head cannot be started with " + python + ": " + e.getMessage(), e);
        }
    }

    /**
     * Waits until the head can be joined.
     *
     * @return where
     * @throws SessionException when it ends before, or is not ready in time; with the last lines that it printed
     * @throws InterruptedException when this thread is interrupted
     */
    public RayAddress awaitReady(Duration deadline) throws InterruptedException {
        long end = System.nanoTime() + deadline.toNanos();
        // The join needs it, and there is nothing else to do meanwhile.
        NativeLibrary.load();
        CompletableFuture<ProcessExit> exit = process.onExit();
        while (true) {
            String printed = readLog();
            if (printed.contains(READY)) {
                Matcher matcher = ADDRESS.matcher(printed);
                if (matcher.find()) {
                    return RayAddress.parse(matcher.group(1), "the address that ray start printed");
                }
            }
            if (exit.isDone()) {
                throw failed("ended while it started (" + exit.join().describe() + ")");
            }
            if (System.nanoTime() > end) {
                throw failed("is not ready after " + deadline.toSeconds() + " s");
            }
            awaitExit(exit, POLL);
        }
    }

    /** Whether the head has ended, by itself or by {@link #close()}, or ends within a time. May be called by any thread. */
    public boolean awaitEnd(Duration timeout) throws InterruptedException {
        awaitExit(process.onExit(), timeout);
        return process.onExit().isDone();
    }

    /** Why a head that has ended did, with the last lines that it printed. */
    public String whyItEnded() {
        return String.valueOf(
                failure("ended (" + process.onExit().join().describe() + ")").getMessage());
    }

    /** Leaves the head's folder, with its logs, for a person to read. */
    public void keepLogs() {
        folder.keep();
    }

    /** Ends the head with everything that runs under it, and removes its folder. May be called again. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        process.terminate(STOP_GRACE);
        port.close();
        folder.close();
    }

    // Returns early when the head ends, since that ends the waiting.
    private static void awaitExit(CompletableFuture<ProcessExit> exit, Duration atMost) throws InterruptedException {
        try {
            ProcessExit ended = exit.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
            log.debug("the local Ray head {}", ended.describe());
        } catch (TimeoutException e) {
            log.trace("the local Ray head starts");
        } catch (ExecutionException e) {
            throw new SessionException("the local Ray head's supervisor failed: " + e.getCause(), e);
        }
    }

    private SessionException failed(String what) {
        folder.keep();
        return failure(what);
    }

    private SessionException failure(String what) {
        List<String> tail = process.logTail(TAIL_LINES);
        return new SessionException("the local Ray head " + what + "; its last lines:\n  " + String.join("\n  ", tail)
                + "\nIts logs: " + folder.path());
    }

    private String readLog() {
        try {
            return Files.exists(process.logFile()) ? Files.readString(process.logFile()) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static HeadFolder newFolder() {
        String parent = System.getProperty("java.io.tmpdir", "/tmp");
        try {
            return HeadFolder.create(Path.of(parent));
        } catch (IOException e) {
            throw new SessionException(
                    "no folder can be made in " + parent + ": " + e.getMessage()
                            + "\nSGLANG_RAY_JAVA_OPTS=-Djava.io.tmpdir=FOLDER names another one; Ray needs a short path.",
                    e);
        }
    }
}
