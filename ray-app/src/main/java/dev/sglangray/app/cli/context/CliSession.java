/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.app.LaunchListener;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.app.session.ClusterPreflight;
import dev.sglangray.app.session.JobContext;
import dev.sglangray.app.session.LocalHead;
import dev.sglangray.app.session.RayAddress;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.app.session.SessionException;
import dev.sglangray.config.thread.Threads;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A command's connection to its cluster, with the local head where one was asked for. */
public final class CliSession implements AutoCloseable {
    private static final Duration HEAD_DEADLINE = Duration.ofMinutes(3);
    /** A signal to a process group reaches its processes within this time. */
    private static final Duration SAME_SIGNAL = Duration.ofSeconds(1);

    /** What ending a fleet may take: engines get a grace, actors a time to answer, and Ray its own. */
    private static final Duration WAY_OUT = Duration.ofMinutes(3);
    /** A cluster that refuses so many connections in as many seconds is gone. */
    private static final int GONE = 10;

    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration CONNECT = Duration.ofSeconds(2);

    private final CliContext context;
    private final String namespace;
    private final @Nullable LocalHead head;
    private final @Nullable RayAddress cluster;
    private final AtomicBoolean ending = new AtomicBoolean();
    private @Nullable RaySession session;

    private CliSession(CliContext context, String namespace, @Nullable LocalHead head, @Nullable RayAddress cluster) {
        this.context = context;
        this.namespace = namespace;
        this.head = head;
        this.cluster = cluster;
    }

    /**
     * Begins: a local head starts while the caller goes on; {@link #connect} then waits for it.
     *
     * @throws UsageException when no cluster is named, or two are
     */
    public static CliSession begin(CliContext context, ClusterOptions options) {
        if (!options.local()) {
            if (options.accelerators().isPresent()) {
                throw new UsageException("--accelerators is for --local; a cluster that runs already has its own");
            }
            return new CliSession(context, options.namespace(), null, address(options, context.environment()));
        }
        if (options.address().isPresent()) {
            throw new UsageException(
                    "--local and --address exclude each other: one starts a cluster, the other names one");
        }
        return beginLocal(context, options.namespace(), options.accelerators());
    }

    /** As {@link #begin} with a local head; without a number of accelerators Ray counts them. */
    public static CliSession beginLocal(CliContext context, String namespace, OptionalInt accelerators) {
        String python = context.launcher().requirePython();
        new ClusterPreflight(python).requireSupportedDriver();
        return new CliSession(context, namespace, LocalHead.start(python, accelerators), null);
    }

    /** Joins the cluster. */
    public RaySession connect(LaunchListener listener) throws InterruptedException {
        long begin = System.nanoTime();
        RayAddress address;
        String nodeIp;
        JobContext job;
        if (head != null) {
            listener.started(LaunchPhase.CONNECT, "starting a local Ray head");
            address = head.awaitReady(HEAD_DEADLINE);
            nodeIp = address.host();
            // A job's working directory is kept in the cluster of the job, which this one is not.
            job = JobContext.from(Map.of());
        } else {
            address = Objects.requireNonNull(cluster);
            job = job(context.environment());
            listener.started(LaunchPhase.CONNECT, "joining the Ray cluster at " + address);
            nodeIp = new ClusterPreflight(context.launcher().requirePython()).requireJoinable(address);
        }
        RaySession joined =
                RaySession.connect(address, namespace, context.launcher().requireJar(), job, nodeIp);
        session = joined;
        context.interrupts().installAgain();
        Thread unused = Threads.start("cluster-watch", () -> watch(address));
        listener.ended(LaunchPhase.CONNECT, Duration.ofNanos(System.nanoTime() - begin));
        return joined;
    }

    /**
     * Ends this process where Ray's native code would hold it: its calls have no deadline, and calls to a cluster that is gone
     * abort the process after a minute. There are two such cases: a local head ends first (as when a signal goes to all processes of a
     * group), or this process is ending and the cluster does not answer. The watch runs until the process ends, since the last call may
     * be the one that hangs.
     */
    private void watch(RayAddress address) {
        long begin = 0;
        int silent = 0;
        try {
            while (silent < GONE && (begin == 0 || System.nanoTime() - begin < WAY_OUT.toNanos())) {
                if (head == null) {
                    TimeUnit.NANOSECONDS.sleep(LOOK.toNanos());
                } else if (head.awaitEnd(LOOK)) {
                    endWithHead(head);
                    return;
                }
                if (ending.get() || context.interrupts().signal().isPresent()) {
                    begin = begin == 0 ? System.nanoTime() : begin;
                    silent = answers(address) ? 0 : silent + 1;
                }
            }
        } catch (InterruptedException e) {
            return;
        }
        end(
                silent >= GONE
                        ? "the Ray cluster at " + address + " is gone; what this command started there ends with it."
                        : "the Ray cluster at " + address + " did not finish within " + WAY_OUT.toSeconds()
                                + " s; Ray ends what this command started there when the command is gone.");
    }

    private void endWithHead(LocalHead ended) {
        if (!ending.compareAndSet(false, true)) {
            return;
        }
        boolean asked = context.interrupts().awaitSignal(SAME_SIGNAL);
        String why = ended.whyItEnded();
        if (!asked) {
            ended.keepLogs();
        }
        ended.close();
        end(
                asked
                        ? "the local Ray head ended first; nothing is left running."
                        : why + "\nThe fleet ended with it; nothing is left running.");
    }

    private void end(String message) {
        context.console().say(message);
        context.interrupts().haltConnected(ExitCode.LOST);
    }

    private static boolean answers(RayAddress cluster) {
        try {
            cluster.requireReachable(CONNECT);
            return true;
        } catch (SessionException e) {
            return false;
        }
    }

    private static RayAddress address(ClusterOptions options, Map<String, String> environment) {
        if (options.address().isPresent()) {
            return options.address().get();
        }
        String text = job(environment)
                .address()
                .orElseThrow(() -> new UsageException("no Ray cluster is named: give --address HOST:PORT or set "
                        + "RAY_ADDRESS, or start one that ends with this command with --local"));
        return variable(() -> RayAddress.parse(text, "RAY_ADDRESS"));
    }

    private static JobContext job(Map<String, String> environment) {
        return variable(() -> JobContext.from(environment));
    }

    /** What a variable means; one with a wrong value is refused as an option with a wrong value is. */
    private static <T> T variable(Supplier<T> reading) {
        try {
            return reading.get();
        } catch (SessionException e) {
            throw new UsageException(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        ending.set(true);
        try {
            if (session != null) {
                session.close();
            }
        } finally {
            if (head != null) {
                head.close();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
