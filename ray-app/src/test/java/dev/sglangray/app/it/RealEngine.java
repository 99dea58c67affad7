/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sglangray.app.cluster.PythonEnvironment;
import dev.sglangray.client.InferenceHttpClient;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.registry.RouterPort;
import dev.sglangray.workers.router.WorkersRouterApi;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;

/** A real engine with the tiny model, and the real router in front of it, without Ray. */
final class RealEngine implements AutoCloseable {
    private static final Duration LOADING = Duration.ofMinutes(6);

    /** Where JSON allows spaces, a model that knows nothing writes them for ever. */
    private static final String ENGINE = """
            {"kind": "srt", "dist_port": %d, "server_args": {"model_path": "%s", "host": "127.0.0.1", "port": %d,
             "enable_metrics": true, "tool_call_parser": "pythonic", "constrained_json_disable_any_whitespace": true,
             "enable_trace": true, "otlp_traces_endpoint": "127.0.0.1:%d"}}
            """;

    private static final String ROUTER = """
            {"kind": "router", "router_args": {"host": "127.0.0.1", "port": %d, "prometheus_port": %d}}
            """;

    private final Path folder;
    private final List<Process> servers = new ArrayList<>();
    private final String url = "http://127.0.0.1:" + freePort();
    private final String routerUrl = "http://127.0.0.1:" + freePort();
    private final PythonServer collector;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private RealEngine(Path folder) throws IOException {
        this.folder = folder;
        this.collector = new PythonServer(PythonEnvironment.withSglang(), "otlp_collector.py");
    }

    /**
     * Starts both and waits until the router sends requests to the engine.
     *
     * @param folder for the model and a log
     */
    static RealEngine start(Path folder) throws IOException, InterruptedException {
        RealEngine engine = new RealEngine(folder);
        try {
            engine.start();
            return engine;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            engine.close();
            throw e;
        }
    }

    /** The engine itself. */
    String url() {
        return url;
    }

    String routerUrl() {
        return routerUrl;
    }

    Path model() {
        return folder.resolve("model");
    }

    /** What the engine counts; 0 before it counts anything. */
    double metric(String name) throws IOException, InterruptedException {
        return get(url + "/metrics")
                .lines()
                .filter(line -> line.startsWith(name + "{"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .max()
                .orElse(0);
    }

    /** The spans that the engine has sent, as JSON. */
    String spans() throws IOException, InterruptedException {
        return get(collector.url() + "/spans");
    }

    private String get(String address) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(URI.create(address)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    @Override
    public void close() {
        collector.close();
        for (Process server : servers) {
            List<ProcessHandle> all = server.descendants().toList();
            server.destroy();
            all.forEach(ProcessHandle::destroyForcibly);
            server.destroyForcibly();
        }
    }

    private void start() throws IOException, InterruptedException {
        Process made = python("-m", "sglang_ray.tiny_model", model().toString()).start();
        assertThat(made.waitFor(2, TimeUnit.MINUTES)).isTrue();
        assertThat(made.exitValue()).isZero();
        int traces = Integer.parseInt(get(collector.url() + "/port"));
        serve(ENGINE.formatted(freePort(), model(), port(url), traces));
        serve(ROUTER.formatted(port(routerUrl), freePort()));
        awaitHealth(url);
        awaitHealth(routerUrl);
        register();
    }

    private void register() {
        try (ThreadLoop loop = new ThreadLoop("real-engine", InstantSource.system())) {
            WorkersRouterApi router = new WorkersRouterApi(routerUrl, null, false, new OkHttpClient(), loop);
            String id =
                    router.add(new ServerEndpoint(url, "regular", null, null)).join();
            await().atMost(Duration.ofMinutes(1))
                    .until(() -> router.progress(id).join() instanceof RouterPort.Progress.Listed);
        }
    }

    private void serve(String spec) throws IOException {
        Process server = python("-m", "sglang_ray.serve").start();
        servers.add(server);
        server.getOutputStream().write(spec.getBytes(StandardCharsets.UTF_8));
        server.getOutputStream().close();
    }

    private void awaitHealth(String server) {
        try (InferenceHttpClient client = InferenceHttpClient.of(server)) {
            await().atMost(LOADING).pollInterval(Duration.ofSeconds(1)).until(() -> {
                assertThat(servers)
                        .as("the servers live; their log: %s", folder.resolve("log"))
                        .allMatch(Process::isAlive);
                return client.health();
            });
        }
    }

    private ProcessBuilder python(String... arguments) {
        ProcessBuilder builder =
                new ProcessBuilder(PythonEnvironment.withSglang().python().toString());
        builder.command().addAll(List.of(arguments));
        builder.environment()
                .put(
                        "PYTHONPATH",
                        PythonEnvironment.repository()
                                .resolve("python-bridge/src/main/python")
                                .toString());
        builder.environment().put("SGLANG_RAY_DEVICE", "cpu");
        return builder.redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(folder.resolve("log").toFile()));
    }

    private static int port(String url) {
        return URI.create(url).getPort();
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
