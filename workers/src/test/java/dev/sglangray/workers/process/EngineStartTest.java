/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import dev.sglangray.bridge.PortAllocator;
import dev.sglangray.bridge.ProcessSpec;
import dev.sglangray.bridge.ProcessStartException;
import dev.sglangray.bridge.SupervisedProcess;
import dev.sglangray.workers.StandIn;
import dev.sglangray.workers.actor.WorkerHttp;
import dev.sglangray.workers.node.DeviceLocks;
import dev.sglangray.workers.node.WorkerNode;
import dev.sglangray.workers.protocol.ProtocolJson;
import dev.sglangray.workers.protocol.ServerEndpoint;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.protocol.WorkerState;
import dev.sglangray.workers.supervision.SupervisionPolicy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine's life with a stand-in server, under the real supervisor. */
class EngineStartTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final OkHttpClient http = WorkerHttp.create();

    @TempDir
    Path folder;

    private ServerSpec spec = StandIn.server(Map.of(), 1);
    private HttpServerProcess engine = engine(
            spec,
            new ProcessFactory(
                    new WorkerNode("", "127.0.0.1", List.of(), Path.of("/nowhere")),
                    new PortAllocator(Path.of("/nowhere"), 1, 1),
                    new DeviceLocks(Path.of("/nowhere"), DeviceLocks.SHARED),
                    Path.of("/nowhere"),
                    Map.of()));

    private HttpServerProcess engine(ServerSpec of, ProcessFactory kit) {
        return HttpServerProcess.engine(of, kit, http, Incarnation.FIRST, ProcessStarter.PROGRAM);
    }

    @AfterEach
    void end() {
        engine.shutdown(ProcessSpec.DEFAULT_GRACE);
    }

    private HttpServerProcess lifecycle(Map<String, Object> arguments, double timeoutSeconds) {
        spec = StandIn.server(arguments, timeoutSeconds);
        engine = engine(spec, StandIn.kit(folder, List.of("4", "5")));
        return engine;
    }

    private ServerEndpoint endpoint() {
        return spec.endpoint(engine.url(), engine.snapshot().bootstrapPort(), "actor-key");
    }

    @Test
    void startsWaitsUntilHealthyAndTellsTheEngineWhatItNeeds() {
        String url =
                lifecycle(StandIn.arguments(Map.of("healthy_after", 0.3)), 30).start(StandIn.UNHEARD);

        assertThat(url).matches("http://127\\.0\\.0\\.1:18[23]\\d\\d").isEqualTo(engine.url());
        assertThat(engine.isHealthy()).isTrue();
        ServerProcess.Snapshot status = engine.snapshot();
        assertThat(status.state()).isEqualTo(WorkerState.READY);
        assertThat(spec.devices(new WorkerNode("", "127.0.0.1", List.of("4", "5"), folder)))
                .containsExactly("4", "5");
        assertThat(status.secondsToReady()).isGreaterThan(0.3);
        assertThat(ProcessHandle.of(Objects.requireNonNull(status.pid()))).isPresent();
        JsonNode given = given();
        assertThat(given.path("kind").asText()).isEqualTo("srt");
        assertThat(given.path("devices").asText()).isEqualTo("4,5");
        assertThat(given.path("server_args").path("host").asText()).isEqualTo("0.0.0.0");
        assertThat(url).endsWith(":" + given.path("server_args").path("port").asInt());
        assertThat(given.path("dist_port").asInt()).isBetween(18200, 18399);
    }

    @Test
    void weightsInSglangsCacheCanNeitherBeUpdatedNorReleased() {
        WorkerNode gpu = new WorkerNode("", "127.0.0.1", List.of("4"), folder);
        Map<String, Object> arguments = StandIn.arguments(Map.of());
        arguments.put("enable_memory_saver", true);
        assertThat(StandIn.server(arguments, 30).weightsRefusal()).isEmpty();
        assertThat(StandIn.server(arguments, 30).memoryRefusal(gpu)).isEmpty();
        arguments.put("weight_cache_mode", "client");
        assertThat(StandIn.server(arguments, 30).weightsRefusal())
                .hasValueSatisfying(why -> assertThat(why).contains("weight_cache_mode: client"));
        assertThat(StandIn.server(arguments, 30).memoryRefusal(gpu)).isPresent();
    }

    @Test
    void shutdownLeavesNothingAndCanBeRepeated() {
        lifecycle(StandIn.arguments(Map.of()), 30).start(StandIn.UNHEARD);
        long pid = Objects.requireNonNull(engine.snapshot().pid());

        engine.shutdown(ProcessSpec.DEFAULT_GRACE);
        engine.shutdown(ProcessSpec.DEFAULT_GRACE);

        assertThat(ProcessHandle.of(pid)).isEmpty();
        assertThat(engine.isHealthy()).isFalse();
        assertThat(engine.snapshot().state()).isEqualTo(WorkerState.STOPPED);
        assertThatThrownBy(() -> engine.url()).isInstanceOf(WorkerFailure.class).hasMessageContaining("STOPPED");
    }

    @Test
    void anEngineThatDiesWhileLoadingFailsAtOnceWithItsLastWords() {
        Map<String, Object> arguments =
                StandIn.arguments(Map.of("exit_code", 3, "last_words", "no such model; key hunter22"));
        arguments.put("api_key", "hunter22");
        long begin = System.nanoTime();

        assertThatThrownBy(() -> lifecycle(arguments, 600).start(StandIn.UNHEARD))
                .isInstanceOf(WorkerFailure.class)
                .hasMessageContaining("the engine exited before it was ready: exit code 3")
                .hasMessageContaining("no such model")
                .hasMessageContaining("sglang-engine-engines-1-")
                .hasMessageContaining("on node 127.0.0.1")
                .hasMessageNotContaining("hunter22");
        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(20));
        assertThat(engine.snapshot().state()).isEqualTo(WorkerState.FAILED);
        assertThat(engine.snapshot().failure()).contains("no such model");
    }

    @Test
    void anEngineThatNeverGetsHealthyMeetsTheDeadlineAndLeavesNothing() {
        Map<String, Object> plan = new HashMap<>(Map.of("family", true));
        plan.put("healthy_after", null);

        // Long enough for it to listen on a busy machine.
        assertThatThrownBy(() -> lifecycle(StandIn.arguments(plan), 8).start(StandIn.UNHEARD))
                .hasMessageContaining("did not become healthy within 8 s")
                .hasMessageContaining("HTTP 503");
        assertThat(ProcessHandle.of(grandchild())).isEmpty();
    }

    @Test
    void aPortLostInARaceIsTriedAgainWithAnotherOne() throws Exception {
        Path counter = folder.resolve("counter");
        String url = lifecycle(StandIn.arguments(Map.of("bind_failures", 2, "counter", counter.toString())), 30)
                .start(StandIn.UNHEARD);

        List<String> ports = Files.readAllLines(counter);
        assertThat(ports).hasSize(3).doesNotHaveDuplicates();
        assertThat(url).endsWith(":" + ports.get(2));
    }

    @Test
    void aPortThatIsLostAgainAndAgainIsGivenUp() throws Exception {
        Path counter = folder.resolve("counter");

        assertThatThrownBy(() -> lifecycle(
                                StandIn.arguments(Map.of("bind_failures", 99, "counter", counter.toString())), 30)
                        .start(StandIn.UNHEARD))
                .hasMessageContaining("address already in use");
        assertThat(Files.readAllLines(counter)).hasSize(4);
    }

    @Test
    void anotherServersHealthOnTheSamePortDoesNotPassForOurs() throws Exception {
        // The engine listens nowhere; the stranger comes after the port was found free.
        Map<String, Object> arguments = StandIn.arguments(Map.of("listen", false));
        arguments.put("port", 18399);
        HttpServerProcess candidate = lifecycle(arguments, 30);
        FutureTask<String> start = new FutureTask<>(() -> candidate.start(StandIn.UNHEARD));
        Thread starter = new Thread(start);
        starter.start();
        await().until(() -> candidate.snapshot().pid() != null);
        HttpServer stranger = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 18399), 1);
        stranger.createContext("/health", exchange -> {
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        stranger.start();

        assertThatThrownBy(() -> start.get(20, TimeUnit.SECONDS))
                .hasMessageContaining("port 18399 of this node is served by process "
                        + ProcessHandle.current().pid());
        stranger.stop(0);
    }

    @Test
    void aChosenPortThatIsTakenIsRefusedBeforeAnythingStarts() throws Exception {
        HttpServer stranger = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 18398), 1);
        stranger.start();
        Map<String, Object> arguments = StandIn.arguments(Map.of());
        arguments.put("port", 18398);

        assertThatThrownBy(() -> lifecycle(arguments, 30).start(StandIn.UNHEARD))
                .hasMessageContaining("Port 18398 of this node is taken");
        assertThat(engine.snapshot().pid()).isNull();
        stranger.stop(0);
    }

    @Test
    void shutdownAbortsAStartThatIsUnderWay() throws Exception {
        Map<String, Object> plan = new HashMap<>(Map.of("family", true));
        plan.put("healthy_after", null);
        HttpServerProcess candidate = lifecycle(StandIn.arguments(plan), 600);
        FutureTask<String> start = new FutureTask<>(() -> candidate.start(StandIn.UNHEARD));
        Thread starter = new Thread(start);
        starter.start();
        await().until(() -> candidate.logTail(5).contains("grandchild"));
        long begin = System.nanoTime();

        candidate.shutdown(ProcessSpec.DEFAULT_GRACE);

        assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(9));
        assertThatThrownBy(() -> start.get(1, TimeUnit.SECONDS)).hasMessageContaining("aborted by a shutdown");
        assertThat(ProcessHandle.of(grandchild())).isEmpty();
        assertThat(candidate.snapshot().state()).isEqualTo(WorkerState.STOPPED);
    }

    /** An engine whose start waits for imports that do not end. */
    private HttpServerProcess importing(double timeoutSeconds, CompletableFuture<Void> waits) {
        ProcessStarter starter = (process, abort) -> {
            waits.complete(null);
            abort.join();
            throw new ProcessStartException("the imports take too long");
        };
        engine = HttpServerProcess.engine(
                StandIn.server(StandIn.arguments(Map.of()), timeoutSeconds),
                StandIn.kit(folder, List.of("4")),
                http,
                Incarnation.FIRST,
                starter);
        return engine;
    }

    @Test
    void shutdownAbortsAStartThatWaitsForImports() {
        CompletableFuture<Void> waits = new CompletableFuture<>();
        HttpServerProcess candidate = importing(300, waits);
        CompletableFuture<String> start =
                CompletableFuture.supplyAsync(() -> candidate.start(StandIn.UNHEARD), task -> new Thread(task).start());
        waits.join();
        candidate.shutdown(Duration.ofSeconds(10));

        assertThatThrownBy(start::join).hasMessageContaining("aborted by a shutdown");
        assertThat(candidate.snapshot().state()).isEqualTo(WorkerState.STOPPED);
    }

    @Test
    void importsCountForTheTimeInWhichAnEngineMustBeHealthy() {
        HttpServerProcess candidate = importing(0.2, new CompletableFuture<>());

        assertThatThrownBy(() -> candidate.start(StandIn.UNHEARD))
                .hasMessageContaining("the engine could not be started: the imports take too long");
        assertThat(candidate.snapshot().state()).isEqualTo(WorkerState.FAILED);
    }

    /** Its first child ends with this exit code; it is to blame for any that ends early. */
    private static final class BadStarter implements ProcessStarter {
        private final int code;
        private final List<SupervisedProcess> started = new CopyOnWriteArrayList<>();
        private final List<SupervisedProcess> trusted = new CopyOnWriteArrayList<>();
        private boolean absolved;

        BadStarter(int code) {
            this.code = code;
        }

        @Override
        public SupervisedProcess start(ProcessSpec process, CompletableFuture<?> abort) {
            ProcessSpec ends = new ProcessSpec(
                    process.name(),
                    process.supervisorPython(),
                    process.supervisorScript(),
                    List.of("sh", "-c", "exit " + code),
                    process.environment(),
                    null,
                    null,
                    process.logFile(),
                    process.grace());
            started.add(SupervisedProcess.start(started.isEmpty() ? ends : process));
            return started.get(started.size() - 1);
        }

        @Override
        public void trust(SupervisedProcess healthy) {
            trusted.add(healthy);
        }

        @Override
        public boolean blame(SupervisedProcess ended) {
            return started.size() == 1;
        }

        @Override
        public void absolve() {
            absolved = true;
        }
    }

    private HttpServerProcess startedBy(ProcessStarter starter, Map<String, Object> plan) {
        engine = HttpServerProcess.engine(
                StandIn.server(StandIn.arguments(plan), 30),
                StandIn.kit(folder, List.of("4")),
                http,
                new Incarnation(1, 18397),
                starter);
        return engine;
    }

    @Test
    void anEngineWhoseWayToStartMayBeTheCauseOfItsEndIsStartedOnceMore() {
        BadStarter starter = new BadStarter(1);
        startedBy(starter, Map.of()).start(StandIn.UNHEARD);

        assertThat(engine.isHealthy()).isTrue();
        assertThat(engine.url()).as("its predecessor's").endsWith(":18397");
        assertThat(starter.started).hasSize(2);
        assertThat(starter.trusted).containsExactly(starter.started.get(1));
        assertThat(starter.absolved).isFalse();
    }

    @Test
    void aWayToStartIsNotTheCauseOfAnEndThatAnotherWayHasToo() {
        BadStarter starter = new BadStarter(1);

        assertThatThrownBy(() -> startedBy(starter, Map.of("exit_code", 4)).start(StandIn.UNHEARD))
                .hasMessageContaining("exit code 4");
        assertThat(starter.started).hasSize(2);
        assertThat(starter.absolved).isTrue();
    }

    @Test
    void anEngineThatRefusesItsArgumentsIsNotStartedOnceMore() {
        BadStarter starter = new BadStarter(2);

        assertThatThrownBy(() -> startedBy(starter, Map.of()).start(StandIn.UNHEARD))
                .hasMessageContaining("exit code 2");
        assertThat(starter.started).hasSize(1);
        assertThat(starter.trusted).isEmpty();
    }

    @Test
    void beforeAndAfterItsForkServerAnEngineIsAProgram() {
        EngineForks forks = new EngineForks();
        Map<String, Object> arguments = StandIn.arguments(Map.of());
        arguments.put("model_path", "/models/m");
        ServerSpec standIn = StandIn.server(arguments, 30);
        ProcessFactory kit = StandIn.kit(folder, List.of("4"));
        ProcessSpec forkServer = HttpServerProcess.forkServer(standIn, kit);
        engine = HttpServerProcess.engine(standIn, kit, http, Incarnation.FIRST, forks);
        assertThat(forkServer.command()).endsWith("-m", "sglang_ray.fork_server", "srt", "--read-ahead", "/models/m");
        assertThat(forkServer.environment()).containsEntry("CUDA_VISIBLE_DEVICES", "4");
        engine.start(StandIn.UNHEARD);
        assertThat(engine.isHealthy()).isTrue();
        forks.close();
        forks.open(forkServer);
        assertThat(forks.fault()).isEmpty();
        assertThat(engine.isHealthy()).isTrue();
    }

    @Test
    void itsStatusSaysWhyItIsNotForked() {
        ProcessStarter starter = new ProcessStarter() {
            @Override
            public SupervisedProcess start(ProcessSpec process, CompletableFuture<?> abort) {
                throw new ProcessStartException("unused");
            }

            @Override
            public Optional<String> fault() {
                return Optional.of("the import of sglang.srt.server_args failed");
            }
        };
        engine = HttpServerProcess.engine(
                StandIn.server(StandIn.arguments(Map.of()), 30),
                StandIn.kit(folder, List.of("4")),
                http,
                Incarnation.FIRST,
                starter);
        assertThat(engine.snapshot().conditions())
                .containsExactly("no warm start: the import of sglang.srt.server_args failed");
    }

    @Test
    void anEngineThatDiesLaterIsNoticedAndItsPortIsGivenBack() {
        lifecycle(StandIn.arguments(Map.of()), 30).start(StandIn.UNHEARD);
        ProcessHandle.of(Objects.requireNonNull(engine.snapshot().pid()))
                .orElseThrow()
                .destroyForcibly();

        await().until(() -> engine.snapshot().state() == WorkerState.FAILED);
        assertThat(engine.isHealthy()).isFalse();
        assertThat(engine.snapshot().failure()).contains("ended by itself: killed by SIGKILL");
        assertThatThrownBy(() -> engine.url()).hasMessageContaining("killed by SIGKILL");
    }

    @Test
    void itsEndIsToldBeforeItsLogIsRead() {
        List<String> told = new CopyOnWriteArrayList<>();
        HttpServerProcess candidate = lifecycle(StandIn.arguments(Map.of()), 30);
        String unused = candidate.start(new ExitListener() {
            @Override
            public void ended(boolean clean, String why) {
                told.add(why);
                try {
                    Files.writeString(
                            Objects.requireNonNull(candidate.snapshot().log()), "written after the news\n");
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void explained(String why) {
                told.add(why);
            }
        });
        ProcessHandle.of(Objects.requireNonNull(candidate.snapshot().pid()))
                .orElseThrow()
                .destroyForcibly();

        await().atMost(LONG).until(() -> told.size() == 2);
        assertThat(told.get(0))
                .startsWith("the engine ended by itself: killed by SIGKILL")
                .doesNotContain("written after the news");
        assertThat(told.get(1)).startsWith(told.get(0)).contains("written after the news");
        assertThat(candidate.snapshot().failure()).isEqualTo(told.get(1));
    }

    @Test
    void aPrefillEngineGetsABootstrapPortOfItsOwn() {
        Map<String, Object> arguments = StandIn.arguments(Map.of());
        arguments.put("disaggregation_mode", "prefill");
        arguments.put("api_key", "engine-key");
        arguments.put("disaggregation_ib_device", "{\"4\": \"mlx5_4\", \"5\": \"mlx5_5\"}");
        lifecycle(arguments, 30).start(StandIn.UNHEARD);

        assertThat(given().path("server_args").path("disaggregation_ib_device").asText())
                .as("by the engine's own numbers")
                .isEqualTo("{\"0\":\"mlx5_4\",\"1\":\"mlx5_5\"}");
        ServerEndpoint endpoint = endpoint();
        assertThat(endpoint.workerType()).isEqualTo("prefill");
        assertThat(endpoint.apiKey()).isEqualTo("engine-key");
        assertThat(endpoint.toString()).doesNotContain("engine-key");
        assertThat(endpoint.bootstrapPort())
                .isBetween(18200, 18399)
                .isEqualTo(given().path("server_args")
                        .path("disaggregation_bootstrap_port")
                        .asInt());
    }

    @Test
    void aPrefillEngineInRustServesItsDecodersOnItsOwnPort() {
        Map<String, Object> arguments = StandIn.arguments(Map.of());
        arguments.put("disaggregation_mode", "prefill");
        startInRust(arguments, true);

        JsonNode given = given().path("server_args");
        assertThat(endpoint().bootstrapPort()).isEqualTo(given.path("port").asInt());
        assertThat(given.has("disaggregation_bootstrap_port")).isFalse();
    }

    @Test
    void anEngineIsReachedAndAskedAtTheHostThatIsAdvertised() {
        spec = StandIn.server(StandIn.arguments(Map.of()), 30, Map.of(), "LocalHost");
        engine = engine(spec, StandIn.kit(folder, List.of("4")));

        String url = engine.start(StandIn.UNHEARD);
        assertThat(url)
                .isEqualTo("http://localhost:"
                        + given().path("server_args").path("port").asInt());
        assertThat(engine.isHealthy()).isTrue();
        assertThat(given().path("server_args").path("host").asText()).isEqualTo("0.0.0.0");
    }

    @Test
    void aVersionWithoutServerInRustGetsABootstrapPortInSpiteOfTheVariable() {
        Map<String, Object> arguments = StandIn.arguments(Map.of());
        arguments.put("disaggregation_mode", "prefill");
        startInRust(arguments, false);

        JsonNode given = given().path("server_args");
        assertThat(given.path("disaggregation_bootstrap_port").asInt())
                .isBetween(18200, 18399)
                .isNotEqualTo(given.path("port").asInt())
                .isEqualTo(endpoint().bootstrapPort());
    }

    @Test
    void aBootstrapPortThatTheServerInRustRefusesIsRefusedBeforeItStarts() {
        Map<String, Object> arguments = StandIn.arguments(Map.of());
        arguments.put("disaggregation_mode", "prefill");
        arguments.put("disaggregation_bootstrap_port", 18399);
        assertThatThrownBy(() -> startInRust(arguments, true))
                .hasMessageContaining("disaggregation_bootstrap_port is 18399")
                .hasMessageContaining("leave it unset");
    }

    @Test
    void aDecodeEngineThatMayBecomeAPrefillEngineGetsABootstrapPortToo() {
        Map<String, Object> arguments = StandIn.arguments(Map.of());
        arguments.put("disaggregation_mode", "decode");
        arguments.put("enable_pd_role_switch", true);
        lifecycle(arguments, 30).start(StandIn.UNHEARD);

        assertThat(given().path("server_args")
                        .path("disaggregation_bootstrap_port")
                        .asInt())
                .isBetween(18200, 18399);
        assertThat(endpoint().bootstrapPort()).isNull();
    }

    /** With the variable that asks for the server in Rust, on an SGLang that has it or has it not. */
    private void startInRust(Map<String, Object> arguments, boolean has) {
        ProcessFactory kit = StandIn.kit(folder, List.of("4"));
        String probe = "print('{\"rust_bootstrap\": %s}')".formatted(has);
        try {
            Files.writeString(kit.pythonPackage().resolve("sglang_ray").resolve("probe.py"), probe);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        spec = StandIn.server(arguments, 30, Map.of("SGLANG_RUST_SERVER", "True"));
        engine = engine(spec, kit);
        engine.start(StandIn.UNHEARD);
    }

    @Test
    void saysThatItComputesOnTheProcessor() {
        assertThat(conditions(Map.of(), Map.of())).isEmpty();
        assertThat(conditions(Map.of("device", "cuda"), Map.of())).isEmpty();
        assertThat(conditions(Map.of("device", "cpu"), Map.of())).containsExactly("computes on the CPU (device: cpu)");
        assertThat(conditions(Map.of("device", "cuda"), Map.of("SGLANG_RAY_DEVICE", "cpu")))
                .containsExactly("computes on the CPU (SGLANG_RAY_DEVICE=cpu)");
    }

    private List<String> conditions(Map<String, Object> arguments, Map<String, String> environment) {
        ProcessFactory kit = new ProcessFactory(
                new WorkerNode("", "127.0.0.1", List.of("0"), Path.of("/nowhere")),
                new PortAllocator(Path.of("/nowhere"), 1, 1),
                new DeviceLocks(Path.of("/nowhere"), DeviceLocks.SHARED),
                Path.of("/nowhere"),
                Map.of());
        return engine(StandIn.server(arguments, 1, environment), kit).snapshot().conditions();
    }

    @Test
    void anUnknownServerTypeIsRefused() {
        assertThatThrownBy(() -> new ServerSpec(
                        "g",
                        0,
                        1,
                        "",
                        "vllm",
                        Map.of(),
                        Map.of(),
                        null,
                        "",
                        List.of(),
                        1,
                        null,
                        SupervisionPolicy.DEFAULT,
                        null,
                        null,
                        true,
                        0,
                        List.of()))
                .hasMessageContaining("'vllm'")
                .hasMessageContaining("srt")
                .hasMessageContaining("embodied");
    }

    private JsonNode given() {
        String line = engine.logTail(20)
                .lines()
                .filter(l -> l.startsWith("given "))
                .findFirst()
                .orElseThrow();
        return ProtocolJson.tree(line.substring("given ".length()));
    }

    private long grandchild() {
        String line = engine.logTail(20)
                .lines()
                .filter(l -> l.startsWith("grandchild "))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(line.substring("grandchild ".length()));
    }

    @Test
    void enginesOnOneAcceleratorStartOneAfterTheOther() {
        Path release = folder.resolve("release");
        ProcessFactory kit = StandIn.kit(folder, List.of("4"));
        Map<String, Object> held = StandIn.arguments(Map.of("healthy_when", release.toString()));
        engine = engine(StandIn.server(held, 30), kit);
        HttpServerProcess second = engine(StandIn.server(StandIn.arguments(Map.of()), 30), kit);
        CompletableFuture<String> first =
                CompletableFuture.supplyAsync(() -> engine.start(StandIn.UNHEARD), task -> new Thread(task).start());
        await().atMost(LONG).until(() -> engine.snapshot().pid() != null);
        CompletableFuture<String> later =
                CompletableFuture.supplyAsync(() -> second.start(StandIn.UNHEARD), task -> new Thread(task).start());
        try {
            await().atMost(LONG).until(() -> !second.snapshot().conditions().isEmpty());
            assertThat(second.snapshot().conditions())
                    .singleElement()
                    .asString()
                    .startsWith("waits for accelerator 4");
            assertThat(second.snapshot().pid()).isNull();
            Files.createFile(release);
            first.orTimeout(20, TimeUnit.SECONDS).join();
            later.orTimeout(20, TimeUnit.SECONDS).join();
            assertThat(second.snapshot().conditions()).isEmpty();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            second.shutdown(ProcessSpec.DEFAULT_GRACE);
        }
    }

    /** A starter that prepares until that is done. */
    private static ProcessStarter preparing(CompletableFuture<Void> waits, CompletableFuture<Void> done) {
        return new ProcessStarter() {
            @Override
            public SupervisedProcess start(ProcessSpec process, CompletableFuture<?> abort) {
                return PROGRAM.start(process, abort);
            }

            @Override
            public void prepare(CompletableFuture<?> abort) {
                waits.complete(null);
                CompletableFuture.anyOf(done, abort).join();
            }
        };
    }

    @Test
    void aShutdownEndsTheWaitForImportsAndNothingIsStarted() {
        CompletableFuture<Void> waits = new CompletableFuture<>();
        HttpServerProcess waiting = HttpServerProcess.engine(
                StandIn.server(StandIn.arguments(Map.of()), 30),
                StandIn.kit(folder, List.of("4")),
                http,
                Incarnation.FIRST,
                preparing(waits, new CompletableFuture<>()));
        CompletableFuture<String> start =
                CompletableFuture.supplyAsync(() -> waiting.start(StandIn.UNHEARD), task -> new Thread(task).start());
        waits.join();
        waiting.shutdown(ProcessSpec.DEFAULT_GRACE);

        assertThatThrownBy(start::join).hasMessageContaining("aborted by a shutdown");
        assertThat(waiting.snapshot().state()).isEqualTo(WorkerState.STOPPED);
        assertThat(waiting.snapshot().pid()).isNull();
    }

    @Test
    void anEngineThatWaitsForImportsHoldsUpNoOtherOnItsAccelerator() {
        CompletableFuture<Void> imported = new CompletableFuture<>();
        CompletableFuture<Void> waits = new CompletableFuture<>();
        ProcessStarter importing = preparing(waits, imported);
        ProcessFactory kit = StandIn.kit(folder, List.of("4"));
        ServerSpec standIn = StandIn.server(StandIn.arguments(Map.of()), 30);
        engine = HttpServerProcess.engine(standIn, kit, http, Incarnation.FIRST, importing);
        CompletableFuture<String> first =
                CompletableFuture.supplyAsync(() -> engine.start(StandIn.UNHEARD), task -> new Thread(task).start());
        waits.join();
        assertThat(engine.snapshot().state()).isEqualTo(WorkerState.STARTING);

        HttpServerProcess second = engine(standIn, kit);
        second.start(StandIn.UNHEARD);

        assertThat(second.isHealthy()).isTrue();
        assertThat(first).isNotDone();
        second.shutdown(ProcessSpec.DEFAULT_GRACE);
        imported.complete(null);
        assertThat(first.orTimeout(20, TimeUnit.SECONDS).join()).isEqualTo(engine.url());
    }

    @Test
    void aShutdownEndsTheWaitForAnAccelerator() {
        ProcessFactory kit = StandIn.kit(folder, List.of("4"));
        HttpServerProcess waiting = engine(StandIn.server(StandIn.arguments(Map.of()), 30), kit);
        try (DeviceLocks.Held held =
                kit.devices().acquire(List.of("4"), "engines:0", LONG, new CompletableFuture<>(), what -> {})) {
            assertThat(held).isNotNull();
            CompletableFuture<String> start = CompletableFuture.supplyAsync(
                    () -> waiting.start(StandIn.UNHEARD), task -> new Thread(task).start());
            await().atMost(LONG).until(() -> !waiting.snapshot().conditions().isEmpty());
            waiting.shutdown(ProcessSpec.DEFAULT_GRACE);
            assertThatThrownBy(start::join).hasMessageContaining("aborted by a shutdown");
        }
    }
}
