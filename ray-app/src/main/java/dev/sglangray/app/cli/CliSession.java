/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.LaunchListener;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.app.session.ClusterGate;
import dev.sglangray.app.session.JobContext;
import dev.sglangray.app.session.LocalHead;
import dev.sglangray.app.session.RayAddress;
import dev.sglangray.app.session.RaySession;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A command's connection to its cluster, with the local head where one was asked for. */
final class CliSession implements AutoCloseable {
    private static final Duration HEAD_DEADLINE = Duration.ofMinutes(3);

    private final CliContext context;
    private final ClusterOptions options;
    private final @Nullable LocalHead head;
    private @Nullable RaySession session;

    private CliSession(CliContext context, ClusterOptions options, @Nullable LocalHead head) {
        this.context = context;
        this.options = options;
        this.head = head;
    }

    /**
     * Begins: a local head starts while the caller goes on; {@link #connect} then waits for it.
     *
     * @throws UsageException when no cluster is named, or two are
     */
    static CliSession begin(CliContext context, ClusterOptions options) {
        if (!options.local()) {
            if (options.accelerators() >= 0) {
                throw new UsageException("--accelerators is for --local; a cluster that runs already has its own");
            }
            address(options);
            return new CliSession(context, options, null);
        }
        if (options.address().isPresent()) {
            throw new UsageException(
                    "--local and --address exclude each other: one starts a cluster, the other names one");
        }
        String python = context.launcher().requirePython();
        new ClusterGate(python).requireSupportedDriver();
        return new CliSession(context, options, LocalHead.start(python, options.accelerators()));
    }

    /** Joins the cluster. */
    RaySession connect(LaunchListener listener) throws InterruptedException {
        long begin = System.nanoTime();
        RayAddress address;
        String nodeIp;
        if (head != null) {
            listener.started(LaunchPhase.CONNECT, "starting a local Ray head");
            address = head.awaitReady(HEAD_DEADLINE);
            nodeIp = address.host();
        } else {
            address = address(options);
            listener.started(LaunchPhase.CONNECT, "joining the Ray cluster at " + address);
            nodeIp = new ClusterGate(context.launcher().requirePython()).requireJoinable(address);
        }
        JobContext job = JobContext.from(System.getenv());
        RaySession joined = RaySession.connect(
                address, options.namespace(), context.launcher().requireJar(), job, nodeIp);
        session = joined;
        listener.ended(LaunchPhase.CONNECT, Duration.ofNanos(System.nanoTime() - begin));
        return joined;
    }

    /** Keeps the local head's logs, and says where; for failures whose cause is in them. */
    Optional<String> keepLogs() {
        return Optional.ofNullable(head).map(local -> local.keepLogs().toString());
    }

    private static RayAddress address(ClusterOptions options) {
        if (options.address().isPresent()) {
            return RayAddress.parse(options.address().get(), "--address");
        }
        return RayAddress.parse(
                JobContext.from(System.getenv())
                        .address()
                        .orElseThrow(
                                () -> new UsageException("no Ray cluster is named: give --address HOST:PORT or set "
                                        + "RAY_ADDRESS, or start one that ends with this command with --local")),
                "RAY_ADDRESS");
    }

    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
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
