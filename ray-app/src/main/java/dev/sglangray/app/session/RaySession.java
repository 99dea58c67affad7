/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import dev.sglangray.config.thread.Threads;
import dev.sglangray.workers.ray.ObjectRefPoller;
import io.ray.api.Ray;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.apache.logging.log4j.core.config.Configurator;
import org.jspecify.annotations.Nullable;

/**
 * This driver's connection to one Ray cluster that runs already.
 *
 * <p>It never starts and never stops a cluster: the address is always handed to Ray, since without one Ray's Java
 * runtime starts a head and at exit stops every Ray process of the machine. Ray allows one connection in a JVM at a
 * time, so there is at most one open session. Safe for use by several threads.
 */
public final class RaySession implements AutoCloseable {
    /** The namespace where fleets live unless another is asked for. */
    public static final String DEFAULT_NAMESPACE = "sglang-ray";

    private static final Duration SHUTDOWN = Duration.ofSeconds(20);

    private final @Nullable RayAddress address;
    private final String namespace;
    private final @Nullable String workerJarUri;
    private final boolean owned;
    private boolean closed;

    private RaySession(@Nullable RayAddress address, String namespace, @Nullable String workerJarUri, boolean owned) {
        this.address = address;
        this.namespace = namespace;
        this.workerJarUri = workerJarUri;
        this.owned = owned;
    }

    /**
     * Connects.
     *
     * @param address the cluster
     * @param namespace the Ray namespace of this job's actors and placement groups
     * @param jar the application's jar, on this machine; workers on this machine, or where the same path holds the
     *     same jar, load their classes from it
     * @param job what {@code ray job submit} said, if it did: then workers everywhere load the jar from the job's
     *     working directory
     * @param nodeIp the address under which the cluster knows this machine, see {@link ClusterPreflight#requireJoinable}
     * @throws SessionException when the cluster does not answer
     * @throws IllegalStateException when this JVM is connected already
     */
    public static RaySession connect(RayAddress address, String namespace, Path jar, JobContext job, String nodeIp) {
        if (Ray.isInitialized()) {
            throw new IllegalStateException("this JVM is connected to a Ray cluster already; use RaySession.current()");
        }
        Map<String, String> properties = Map.of(
                "ray.address",
                address.toString(),
                "ray.node-ip",
                nodeIp,
                "ray.job.namespace",
                namespace,
                "ray.job.code-search-path",
                ProgramFiles.codeSearchPath(jar));
        properties.forEach(System::setProperty);
        NativeLibrary.load();
        try {
            Ray.init();
        } catch (RuntimeException e) {
            throw new SessionException(
                    "the Ray cluster at " + address + " cannot be joined: " + rootMessage(e)
                            + "\nThis machine must be a node of that cluster (its raylet must run here).",
                    e);
        }
        // Ray gives the whole JVM a configuration of its own, which writes to standard output.
        Configurator.reconfigure();
        return new RaySession(address, namespace, job.workingDirUri().orElse(null), true);
    }

    /**
     * Connects as the environment says: a job of {@code ray job submit}, or a program started with {@code sglang-ray run}
     * and {@code RAY_ADDRESS}. The cluster is checked first, see {@link ClusterPreflight#requireJoinable}.
     *
     * @param namespace as in {@link #connect}
     * @throws SessionException when no cluster or no jar is named, or the cluster cannot be joined
     */
    public static RaySession fromEnvironment(String namespace) {
        JobContext job = JobContext.from(System.getenv());
        RayAddress cluster = RayAddress.parse(
                job.address()
                        .orElseThrow(
                                () -> new SessionException("no Ray cluster is named: set RAY_ADDRESS to HOST:PORT")),
                "RAY_ADDRESS");
        ProgramFiles files = ProgramFiles.find();
        String nodeIp = new ClusterPreflight(files.python()).requireJoinable(cluster);
        return connect(cluster, namespace, files.jar(), job, nodeIp);
    }

    /**
     * The connection that this JVM has already, for drivers that called {@code Ray.init()} themselves and for code
     * inside actors. Closing it does not disconnect.
     *
     * @throws IllegalStateException when there is none
     */
    public static RaySession current() {
        if (!Ray.isInitialized()) {
            throw new IllegalStateException(
                    "this JVM is not connected to Ray: call RaySession.connect or Ray.init first");
        }
        String uri = JobContext.from(System.getenv())
                .workingDirUriIn(System.getProperty("ray.address", ""))
                .orElse(null);
        return new RaySession(null, Ray.getRuntimeContext().getNamespace(), uri, false);
    }

    /** The cluster's address; empty for a connection made by another program. */
    public Optional<RayAddress> address() {
        return Optional.ofNullable(address);
    }

    /** The namespace of this job's actors. */
    public String namespace() {
        return namespace;
    }

    /** From where workers on any node fetch the application's jar; empty outside a submitted job. */
    public Optional<String> workerJarUri() {
        return Optional.ofNullable(workerJarUri);
    }

    /**
     * Disconnects, if this object connected. Waits 20 s at most: a cluster that is gone must not hold up a driver
     * that ends. May be called again.
     */
    @Override
    public synchronized void close() {
        if (closed || !owned) {
            closed = true;
            return;
        }
        closed = true;
        ObjectRefPoller.stopWaiting();
        Thread shutdown = Threads.start("ray-shutdown", Ray::shutdown);
        try {
            shutdown.join(SHUTDOWN.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String rootMessage(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }
}
