/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.config.launcher.BindHost;
import dev.sglangray.workers.process.RouterSpec;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a group's actors are created and closed.
 *
 * @param javaJars URIs of jars that the actors need, for Ray's {@code java_jars}; empty when the job's class path does
 * @param jvmOptions options of the actors' JVMs, after those of the job
 * @param serverHealthTimeout how long an engine may take to become healthy
 * @param routerStartTimeout how long the router may take to answer
 * @param closeTimeout how long closing waits for orderly shutdowns before it kills the actors
 * @param logDirectory where engines and router log on their nodes, or null for the Ray session's log folder
 * @param supervision how engines and router are looked after once they serve
 * @param bindHost which addresses of their nodes engines and router listen at
 * @param advertiseHost the host in the engines' URLs, or null for the address that Ray knows each engine's node by
 * @param detached whether the workers outlive this program: Ray ends them only when they are killed
 */
public record GroupOptions(
        List<String> javaJars,
        List<String> jvmOptions,
        Duration serverHealthTimeout,
        Duration routerStartTimeout,
        Duration closeTimeout,
        @Nullable String logDirectory,
        SupervisionPolicy supervision,
        BindHost bindHost,
        @Nullable String advertiseHost,
        boolean detached) {

    /** A worker JVM waits and polls: a small heap, one compiler and the serial collector start fast and halve its memory. */
    public static final List<String> SMALL_JVM =
            List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xms16m", "-Xmx160m", "-Xss512k");

    /** Copies the lists. */
    public GroupOptions {
        javaJars = List.copyOf(javaJars);
        jvmOptions = List.copyOf(jvmOptions);
    }

    /** RLinf's timeouts, small JVMs, no further jars. */
    public static GroupOptions defaults() {
        return new GroupOptions(
                List.of(),
                SMALL_JVM,
                ServerSpec.DEFAULT_HEALTH_TIMEOUT,
                RouterSpec.DEFAULT_START_TIMEOUT,
                Duration.ofSeconds(30),
                null,
                SupervisionPolicy.DEFAULT,
                BindHost.ALL,
                null,
                false);
    }

    /** These options with other jars. */
    public GroupOptions withJavaJars(List<String> jars) {
        return new GroupOptions(
                jars,
                jvmOptions,
                serverHealthTimeout,
                routerStartTimeout,
                closeTimeout,
                logDirectory,
                supervision,
                bindHost,
                advertiseHost,
                detached);
    }

    /** These options with another time for engines to become healthy. */
    public GroupOptions withServerHealthTimeout(Duration timeout) {
        return new GroupOptions(
                javaJars,
                jvmOptions,
                timeout,
                routerStartTimeout,
                closeTimeout,
                logDirectory,
                supervision,
                bindHost,
                advertiseHost,
                detached);
    }

    /** These options with another folder for logs. */
    public GroupOptions withLogDirectory(String directory) {
        return new GroupOptions(
                javaJars,
                jvmOptions,
                serverHealthTimeout,
                routerStartTimeout,
                closeTimeout,
                directory,
                supervision,
                bindHost,
                advertiseHost,
                detached);
    }

    /** These options with another way to look after engines and router. */
    public GroupOptions withSupervision(SupervisionPolicy policy) {
        return new GroupOptions(
                javaJars,
                jvmOptions,
                serverHealthTimeout,
                routerStartTimeout,
                closeTimeout,
                logDirectory,
                policy,
                bindHost,
                advertiseHost,
                detached);
    }

    /** These options with other addresses to listen at. */
    public GroupOptions withBindHost(BindHost host) {
        return new GroupOptions(
                javaJars,
                jvmOptions,
                serverHealthTimeout,
                routerStartTimeout,
                closeTimeout,
                logDirectory,
                supervision,
                host,
                advertiseHost,
                detached);
    }

    /** These options with another host in the engines' URLs; null for their nodes' addresses. */
    public GroupOptions withAdvertiseHost(@Nullable String host) {
        return new GroupOptions(
                javaJars,
                jvmOptions,
                serverHealthTimeout,
                routerStartTimeout,
                closeTimeout,
                logDirectory,
                supervision,
                bindHost,
                host,
                detached);
    }

    /** These options for workers that outlive this program. */
    public GroupOptions whichAreDetached() {
        return new GroupOptions(
                javaJars,
                jvmOptions,
                serverHealthTimeout,
                routerStartTimeout,
                closeTimeout,
                logDirectory,
                supervision,
                bindHost,
                advertiseHost,
                true);
    }
}
