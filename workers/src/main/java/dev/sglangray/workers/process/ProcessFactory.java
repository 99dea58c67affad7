/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import dev.sglangray.bridge.EnvironmentBuilder;
import dev.sglangray.bridge.NodeDirectories;
import dev.sglangray.bridge.PortAllocator;
import dev.sglangray.bridge.PortLease;
import dev.sglangray.bridge.PortUnavailableException;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.bridge.PythonPackage;
import dev.sglangray.placement.cluster.EnvironmentMerge;
import dev.sglangray.workers.loop.Deadline;
import dev.sglangray.workers.node.DeviceLocks;
import dev.sglangray.workers.node.SealedSecrets;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.WorkerFailure;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What lifecycles build children with. Immutable.
 *
 * @param node where they run
 * @param ports gives out the node's ports
 * @param devices lets engines start on the node's accelerators one at a time
 * @param pythonPackage the folder that holds {@code sglang_ray}
 * @param baseEnvironment what children inherit, proxies excepted
 */
public record ProcessFactory(
        WorkerNode node,
        PortAllocator ports,
        DeviceLocks devices,
        Path pythonPackage,
        Map<String, String> baseEnvironment) {
    private static final String INTERPRETER_VARIABLE = "SGLANG_RAY_PYTHON";
    /** A tree whose worker died gets 2 s to end, then SIGKILL; large processes take a while to give their memory back. */
    private static final Duration RECLAIM = Duration.ofSeconds(15);

    private static final long RECLAIM_PAUSE_MS = 100;

    public ProcessFactory {
        baseEnvironment = Collections.unmodifiableMap(new TreeMap<>(baseEnvironment));
    }

    /** The node's own ports, the bundled Python package, this process's environment. */
    public static ProcessFactory of(WorkerNode node) {
        return new ProcessFactory(
                node,
                new PortAllocator(),
                new DeviceLocks(NodeDirectories.base().resolve("devices"), DeviceLocks.SHARED),
                PythonPackage.extract(),
                System.getenv());
    }

    /** The Python of a spec, else of the worker's or child's variables, else {@code python3}. */
    public String interpreter(@Nullable String specified, Map<String, String> environment) {
        if (specified != null && !specified.isBlank()) {
            return specified;
        }
        String variable =
                environment.getOrDefault(INTERPRETER_VARIABLE, baseEnvironment.getOrDefault(INTERPRETER_VARIABLE, ""));
        return variable.isBlank() ? "python3" : variable;
    }

    /** The node's variables with those of a spec laid over them by RLinf's rules, proxies excepted. */
    EnvironmentBuilder environment(Map<String, String> specified) {
        return EnvironmentBuilder.from(EnvironmentMerge.merge(baseEnvironment, specified));
    }

    /** As {@link #port}, but rather the predecessor's, for which it waits while that is being ended. */
    PortLease port(Map<String, Object> arguments, String key, @Nullable Integer predecessor, boolean insist) {
        if (predecessor == null) {
            return port(arguments, key);
        }
        try {
            return reclaim(predecessor);
        } catch (PortUnavailableException e) {
            if (insist || arguments.get(key) != null) {
                throw e;
            }
            return ports.acquire();
        }
    }

    private PortLease reclaim(int port) {
        for (Deadline deadline = Deadline.in(RECLAIM); ; ) {
            try {
                return ports.acquire(port);
            } catch (PortUnavailableException e) {
                if (deadline.isOver()) {
                    throw e;
                }
            }
            try {
                TimeUnit.MILLISECONDS.sleep(RECLAIM_PAUSE_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new WorkerFailure("the wait for port " + port + " was interrupted");
            }
        }
    }

    /** A port that the arguments name, or one of our choice when they leave it unset. */
    PortLease port(Map<String, Object> arguments, String key) {
        Object chosen = arguments.get(key);
        if (chosen == null) {
            return ports.acquire();
        }
        if (chosen instanceof Number number) {
            return ports.acquire(number.intValue());
        }
        try {
            return ports.acquire(Integer.parseInt(chosen.toString().trim()));
        } catch (NumberFormatException e) {
            throw new WorkerFailure(key + " is '" + chosen + "'; expected a port from 1 to 65535, or null");
        }
    }

    /** The child that becomes the server which {@code request} describes. */
    ProcessSpec serve(
            String name, String python, Map<String, ?> request, EnvironmentBuilder environment, Path logFile) {
        String input = ProtocolJson.write(request);
        SealedSecrets.requireOpen(input);
        return module(name, python, "sglang_ray.serve", List.of(), environment, input, logFile);
    }

    /** The process from which servers of one kind can be forked; arguments as {@code sglang_ray.fork_server} takes them. */
    ProcessSpec forkServer(
            String name, String python, List<String> arguments, EnvironmentBuilder environment, Path logFile) {
        return module(name, python, "sglang_ray.fork_server", arguments, environment, null, logFile);
    }

    private ProcessSpec module(
            String name,
            String python,
            String module,
            List<String> arguments,
            EnvironmentBuilder environment,
            @Nullable String input,
            Path logFile) {
        Map<String, String> variables = environment.pythonPath(pythonPackage).build();
        SealedSecrets.requireOpen(ProtocolJson.write(variables));
        return new ProcessSpec(
                name,
                python,
                PythonPackage.supervisor(pythonPackage),
                PythonPackage.command(pythonPackage, python, module, arguments),
                variables,
                null,
                input,
                logFile,
                ProcessSpec.DEFAULT_GRACE);
    }

    /** A log file of this JVM's own, named so that a person finds it: {@code sglang-engine-group-0-4711.log}. */
    Path logFile(@Nullable String directory, String kind, String group, int rank, String suffix) {
        String name = "sglang-" + kind + "-" + group.replaceAll("[^A-Za-z0-9_.-]", "_") + "-" + rank + "-"
                + ProcessHandle.current().pid() + suffix + ".log";
        Path folder = directory == null ? node.logDirectory() : Path.of(directory);
        return Objects.requireNonNull(folder).resolve(name);
    }
}
