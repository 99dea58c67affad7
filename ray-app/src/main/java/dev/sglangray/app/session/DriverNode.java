/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.session;

import dev.sglangray.bridge.PythonPackage;
import io.ray.api.Ray;
import io.ray.api.runtimeenv.RuntimeEnv;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The Ray node of this process, and what Ray needs to run the project's Python code there. Stateless. */
public final class DriverNode {
    /** Of a resource that is there to bind a task or an actor to a node. */
    public static final double A_LITTLE = 0.001;

    private DriverNode() {}

    /** Ray's name of the resource that only this node has; empty when Ray does not list the node. */
    public static Optional<String> resource() {
        return address().map(address -> "node:" + address);
    }

    /** The address by which Ray knows this node; empty when Ray does not list the node. */
    public static Optional<String> address() {
        var node = Ray.getRuntimeContext().getCurrentNodeId();
        return Ray.getRuntimeContext().getAllNodeInfo().stream()
                .filter(info -> info.nodeId.equals(node))
                .map(info -> info.nodeAddress)
                .findFirst();
    }

    /**
     * An environment in which Python finds the package {@code sglang_ray}, for tasks and actors of this node.
     *
     * @throws java.io.UncheckedIOException when the package cannot be unpacked
     */
    public static RuntimeEnv pythonEnvironment() {
        RuntimeEnv environment = new RuntimeEnv.Builder().build();
        environment.set("env_vars", pythonVariables(PythonPackage.extract(), System.getenv()));
        return environment;
    }

    /**
     * Ray replaces the reference by what the node's Ray has there, which may be what Ray itself is found by. Without
     * anything there it would leave an empty entry, which is the worker's working directory.
     */
    static Map<String, String> pythonVariables(Path packageFolder, Map<String, String> here) {
        boolean more = !here.getOrDefault("PYTHONPATH", "").isBlank();
        return Map.of("PYTHONPATH", packageFolder + (more ? ":${PYTHONPATH}" : ""), "PYTHONSAFEPATH", "1");
    }
}
