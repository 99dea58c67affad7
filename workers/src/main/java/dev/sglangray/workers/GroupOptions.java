/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.config.launcher.BindHost;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.protocol.ExternalServer;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a group's actors are created.
 *
 * @param javaJars URIs of jars that the actors need, for Ray's {@code java_jars}; empty when the job's class path does
 * @param serverHealthTimeout how long an engine may take to become healthy
 * @param logDirectory where engines and router log on their nodes, or null for the Ray session's log folder
 * @param supervision how engines and router are looked after once they serve
 * @param bindHost which addresses of their nodes engines and router listen at
 * @param advertiseHost the host in the engines' URLs, or null for the address that Ray knows each engine's node by
 * @param pools what engines of a pool have in place of the above, by the pool's name; pools that are not in it have nothing
 * @param externalServers servers that other programs keep, to which the router sends too
 * @param detached whether the workers outlive this program: Ray ends them only when they are killed
 */
public record GroupOptions(
        List<String> javaJars,
        Duration serverHealthTimeout,
        @Nullable String logDirectory,
        SupervisionPolicy supervision,
        BindHost bindHost,
        @Nullable String advertiseHost,
        Map<String, PoolOptions> pools,
        List<ExternalServer> externalServers,
        boolean detached) {

    /** A worker JVM waits and polls: a small heap, one compiler and the serial collector start fast and halve its memory. */
    public static final List<String> SMALL_JVM =
            List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms16m", "-Xmx160m", "-Xss512k");

    /**
     * How the engines of one pool differ.
     *
     * @param supervision how they are looked after once they serve
     * @param updateWeights whether they get the weights of an update
     */
    public record PoolOptions(SupervisionPolicy supervision, boolean updateWeights) {}

    /** Copies the lists and the map. */
    public GroupOptions {
        javaJars = List.copyOf(javaJars);
        pools = Map.copyOf(pools);
        externalServers = List.copyOf(externalServers);
    }

    /** RLinf's timeout, no further jars. */
    public static GroupOptions defaults() {
        return new GroupOptions(
                List.of(),
                ServerSpec.DEFAULT_HEALTH_TIMEOUT,
                null,
                SupervisionPolicy.DEFAULT,
                BindHost.ALL,
                null,
                Map.of(),
                List.of(),
                false);
    }

    /** These options with other jars. */
    public GroupOptions withJavaJars(List<String> jars) {
        return new GroupOptions(
                jars,
                serverHealthTimeout,
                logDirectory,
                supervision,
                bindHost,
                advertiseHost,
                pools,
                externalServers,
                detached);
    }

    /** These options with another time for engines to become healthy. */
    public GroupOptions withServerHealthTimeout(Duration time) {
        return new GroupOptions(
                javaJars, time, logDirectory, supervision, bindHost, advertiseHost, pools, externalServers, detached);
    }

    /** These options with another folder for logs. */
    public GroupOptions withLogDirectory(String directory) {
        return new GroupOptions(
                javaJars,
                serverHealthTimeout,
                directory,
                supervision,
                bindHost,
                advertiseHost,
                pools,
                externalServers,
                detached);
    }

    /** These options with other addresses to listen at. */
    public GroupOptions withBindHost(BindHost host) {
        return new GroupOptions(
                javaJars,
                serverHealthTimeout,
                logDirectory,
                supervision,
                host,
                advertiseHost,
                pools,
                externalServers,
                detached);
    }

    /** These options with another host in the engines' URLs; null for their nodes' addresses. */
    public GroupOptions withAdvertiseHost(@Nullable String host) {
        return new GroupOptions(
                javaJars,
                serverHealthTimeout,
                logDirectory,
                supervision,
                bindHost,
                host,
                pools,
                externalServers,
                detached);
    }

    /** What engines of a pool have. */
    public PoolOptions pool(String name) {
        return pools.getOrDefault(name, new PoolOptions(supervision, true));
    }
}
