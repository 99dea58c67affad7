/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import dev.sglangray.bridge.PortAllocator;
import dev.sglangray.bridge.PythonPackage;
import dev.sglangray.workers.node.DeviceLocks;
import dev.sglangray.workers.node.SharedFolder;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.process.ExitListener;
import dev.sglangray.workers.process.PartSpec;
import dev.sglangray.workers.process.ProcessFactory;
import dev.sglangray.workers.process.ServerSpec;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What lifecycles need to start the stand-in server instead of SGLang, under the real supervisor. */
public final class StandIn {
    /** For processes whose end no test listens to. */
    public static final ExitListener UNHEARD = (clean, why) -> {};

    private StandIn() {}

    /** A kit whose Python package has the stand-in as {@code sglang_ray.serve}. */
    public static ProcessFactory kit(Path folder, List<String> devices) {
        Path real = PythonPackage.extractTo(folder.resolve("real"));
        Path fake = folder.resolve("stand-in");
        try (InputStream serve = StandIn.class.getResourceAsStream("stand_in_serve.py")) {
            Path module = Files.createDirectories(fake.resolve("sglang_ray"));
            Files.writeString(module.resolve("__init__.py"), "");
            Files.copy(Objects.requireNonNull(serve), module.resolve("serve.py"));
            for (String file : List.of("supervisor.py", "run_module.py")) {
                Files.copy(real.resolve("sglang_ray").resolve(file), module.resolve(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        WorkerNode node = new WorkerNode("node-id", "127.0.0.1", devices, folder.resolve("logs"));
        // No other test gives out ports of this range.
        PortAllocator ports = new PortAllocator(folder.resolve("ports"), 18200, 18399);
        return new ProcessFactory(
                node,
                ports,
                new DeviceLocks(folder.resolve("devices"), new SharedFolder(folder, "shared-devices")),
                fake,
                Map.of("PATH", System.getenv("PATH"), "http_proxy", "http://nowhere"));
    }

    /** Server arguments that tell the stand-in what to do. */
    public static Map<String, Object> arguments(Map<String, Object> plan) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        arguments.put("stand_in", plan);
        return arguments;
    }

    public static ServerSpec server(Map<String, Object> arguments, double timeoutSeconds) {
        return server(arguments, timeoutSeconds, Map.of());
    }

    public static ServerSpec server(
            Map<String, Object> arguments, double timeoutSeconds, Map<String, String> environment) {
        return server(arguments, timeoutSeconds, environment, null);
    }

    public static ServerSpec server(
            Map<String, Object> arguments,
            double timeoutSeconds,
            Map<String, String> environment,
            @Nullable String advertiseHost) {
        return new ServerSpec(
                "engines",
                1,
                2,
                "",
                "srt",
                arguments,
                environment,
                null,
                "CUDA_VISIBLE_DEVICES",
                List.of(),
                timeoutSeconds,
                null,
                SupervisionPolicy.DEFAULT,
                null,
                advertiseHost,
                true,
                0,
                List.of());
    }

    /** An engine's part 0, with these further parts. */
    public static ServerSpec spanning(Map<String, String> environment, List<PartSpec> others) {
        ServerSpec one = server(Map.of("model_path", "/m"), 20, environment);
        return new ServerSpec(
                one.groupName(),
                one.rank(),
                one.groupSize(),
                one.pool(),
                one.serverType(),
                one.serverArgs(),
                one.environment(),
                null,
                "CUDA_VISIBLE_DEVICES",
                List.of("0"),
                one.healthTimeoutSeconds(),
                null,
                one.supervision(),
                null,
                null,
                true,
                0,
                others);
    }
}
