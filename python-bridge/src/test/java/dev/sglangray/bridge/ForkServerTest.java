/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a stand-in for SGLang whose one module remembers the process that imported it. */
class ForkServerTest {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final CompletableFuture<Void> NEVER = new CompletableFuture<>();

    /** Says what it is, and lives until it is ended. */
    private static final String ENGINE = """
            import os, sys, time
            from sglang.srt import server_args
            print(server_args.IMPORTED_BY, server_args.TEXT, os.environ.get("VARIABLE"), sys.stdin.read(), "ready", flush=True)
            time.sleep(600)
            """;

    @TempDir
    Path folder;

    private Path stand;
    private Path extracted;

    @BeforeEach
    void standIn() throws IOException {
        stand = folder.resolve("stand-in");
        extracted = PythonPackage.extractTo(folder.resolve("python"));
        Files.createDirectories(stand.resolve("sglang/srt"));
        imports("TEXT = 'first'");
        Files.writeString(stand.resolve("engine_stand_in.py"), ENGINE);
    }

    private void imports(String code) throws IOException {
        Files.writeString(
                stand.resolve("sglang/srt/server_args.py"), "import os\nIMPORTED_BY = os.getpid()\n" + code + "\n");
    }

    private ProcessSpec spec(String module, List<String> arguments, Map<String, String> more, String log) {
        Map<String, String> environment = new TreeMap<>(Map.of(
                "PATH",
                System.getenv("PATH"),
                "PYTHONUNBUFFERED",
                "1",
                "PYTHONPATH",
                extracted + ":" + stand,
                "SGLANG_RAY_DEVICE",
                "cpu"));
        environment.putAll(more);
        return new ProcessSpec(
                "test",
                "python3",
                PythonPackage.supervisor(extracted),
                PythonPackage.command(extracted, "python3", module, arguments),
                environment,
                null,
                module.equals("sglang_ray.fork_server") ? null : "payload",
                folder.resolve(log),
                ProcessSpec.DEFAULT_GRACE);
    }

    private ForkServer open(Map<String, String> environment, Duration forkPatience) {
        return open(environment, PATIENCE, forkPatience, folder.resolve("forks"));
    }

    private ForkServer open(Map<String, String> environment, Duration imports, Duration fork, Path sockets) {
        return ForkServer.open(
                spec("sglang_ray.fork_server", List.of("srt", "--device", "cpu"), environment, "server.log"),
                sockets,
                imports,
                fork);
    }

    private ProcessSpec engine(Map<String, String> environment, String log) {
        return spec("engine_stand_in", List.of(), environment, log);
    }

    /** What an engine says of itself: the process that imported for it, the text, the variable, the input. */
    private static String[] saying(SupervisedProcess engine) {
        await().atMost(PATIENCE).until(() -> engine.logTail(1).toString().contains("ready"));
        return engine.logTail(1).get(0).split(" ", -1);
    }

    private static ProcessHandle process(String pid) {
        return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
    }

    private static void signal(String name, String pid) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, pid).start().waitFor())
                .isZero();
    }

    private static boolean forked(SupervisedProcess engine) {
        return !saying(engine)[0].equals(Long.toString(engine.pid()));
    }

    @Test
    void anEngineIsForkedWithItsOwnInputAndWhatIsReadAtUse() throws Exception {
        try (ForkServer server = open(Map.of("VARIABLE", "same"), PATIENCE)) {
            SupervisedProcess engine = server.start(
                    engine(Map.of("VARIABLE", "same", "SGLANG_RAY_WATCH_RANKS", "0"), "engine.log"), NEVER);

            assertThat(saying(engine)).endsWith("first", "same", "payload", "ready");
            assertThat(forked(engine)).isTrue();
            assertThat(server.fault()).isEmpty();
            process(Long.toString(engine.pid())).destroyForcibly();
            assertThat(engine.onExit().get(20, TimeUnit.SECONDS).describe()).startsWith("killed by SIGKILL");
            SupervisedProcess next =
                    server.start(engine(Map.of("VARIABLE", "same", "CUDA_VISIBLE_DEVICES", "3"), "next.log"), NEVER);
            assertThat(saying(next)[0]).isEqualTo(saying(engine)[0]);
            assertThat(next.terminate(Duration.ofSeconds(5)).signal()).isEqualTo("SIGTERM");
        }
    }

    @Test
    void aForkThatNeverWorkedMayBeTheCauseOfAnEarlyEnd() throws Exception {
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            SupervisedProcess first = server.start(engine(Map.of(), "first.log"), NEVER);
            assertThat(forked(first)).isTrue();
            assertThat(server.blame(first)).isTrue();
            assertThat(first.isAlive()).isTrue();
            SupervisedProcess second = server.start(engine(Map.of(), "second.log"), NEVER);

            assertThat(forked(second)).isFalse();
            assertThat(server.blame(second)).isFalse();
            assertThat(server.fault())
                    .hasValue("one that was forked ended before it was healthy (its log is " + first.logFile() + ")");
            second.terminate(Duration.ofSeconds(5));
            assertThat(server.blame(second)).as("a program that has ended").isFalse();
            server.absolve();
            assertThat(server.fault()).isEmpty();
            assertThat(forked(server.start(engine(Map.of(), "third.log"), NEVER)))
                    .isTrue();
        }
    }

    @Test
    void aForkThatWorkedOnceIsNotTheCauseOfAnEarlyEnd() throws Exception {
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            server.trust(server.start(engine(Map.of(), "first.log"), NEVER));
            SupervisedProcess second = server.start(engine(Map.of(), "second.log"), NEVER);

            assertThat(server.blame(second)).isFalse();
            assertThat(forked(server.start(engine(Map.of(), "third.log"), NEVER)))
                    .isTrue();
        }
    }

    @Test
    void anEngineDoesNotDependOnAForkServerThatIsKilledAndReplaced() throws Exception {
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            SupervisedProcess engine = server.start(engine(Map.of(), "engine.log"), NEVER);
            String first = saying(engine)[0];
            process(first).destroyForcibly();
            await().until(() -> ProcessHandle.of(Long.parseLong(first)).isEmpty());
            SupervisedProcess next = server.start(engine(Map.of(), "next.log"), NEVER);

            assertThat(forked(next)).isTrue();
            assertThat(saying(next)[0]).isNotEqualTo(first);
            assertThat(engine.isAlive()).isTrue();
            assertThat(engine.terminate(Duration.ofSeconds(5)).signal()).isEqualTo("SIGTERM");
            assertThat(next.isAlive()).isTrue();
        }
    }

    @Test
    void aForkServerThatHangsIsReplaced() throws Exception {
        try (ForkServer server = open(Map.of(), Duration.ofSeconds(2))) {
            SupervisedProcess engine = server.start(engine(Map.of(), "engine.log"), NEVER);
            String first = saying(engine)[0];
            signal("STOP", first);
            SupervisedProcess next = server.start(engine(Map.of(), "next.log"), NEVER);

            assertThat(forked(next)).isTrue();
            assertThat(saying(next)[0]).isNotEqualTo(first);
            await().until(() -> ProcessHandle.of(Long.parseLong(first)).isEmpty());
            assertThat(engine.isAlive()).isTrue();
        }
    }

    @Test
    void aForkServerWhoseFilesChangedIsReplaced() throws Exception {
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            assertThat(saying(server.start(engine(Map.of(), "engine.log"), NEVER))[1])
                    .isEqualTo("first");
            imports("TEXT = 'another'");
            SupervisedProcess next = server.start(engine(Map.of(), "next.log"), NEVER);

            assertThat(saying(next)[1]).isEqualTo("another");
            assertThat(forked(next)).isTrue();
        }
    }

    @Test
    void anotherEnvironmentNeedsAnotherForkServer() {
        try (ForkServer server = open(Map.of("VARIABLE", "one"), PATIENCE)) {
            String first = saying(server.start(engine(Map.of("VARIABLE", "one"), "engine.log"), NEVER))[0];
            SupervisedProcess next = server.start(engine(Map.of("VARIABLE", "two"), "next.log"), NEVER);

            assertThat(saying(next)).contains("two").doesNotContain(first);
            assertThat(forked(next)).isTrue();
        }
    }

    @Test
    void whatMayDifferIsWhatIsReadAtUse() {
        assertThat(ForkServer.differing(
                        Map.of("A", "1", "B", "1", "CUDA_VISIBLE_DEVICES", "0", "GONE", "x"),
                        Map.of("A", "1", "B", "2", "CUDA_VISIBLE_DEVICES", "1", "LD_PRELOAD", "y")))
                .containsExactly("B", "GONE", "LD_PRELOAD");
    }

    @Test
    void whereTheImportsFailAnEngineIsStartedAsAProgram() throws Exception {
        imports("TEXT = 'first'\nif 'engine' not in str(__import__('sys').argv): raise RuntimeError('no such driver')");
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            SupervisedProcess engine = server.start(engine(Map.of(), "engine.log"), NEVER);

            assertThat(forked(engine)).isFalse();
            assertThat(server.fault())
                    .hasValue("the import of sglang.srt.server_args failed: RuntimeError: no such driver");
            engine.close();
        }
    }

    @Test
    void aThreadThatAnImportStartsForbidsForks() throws Exception {
        imports("TEXT = 'first'\nimport threading, time\n"
                + "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()");
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            SupervisedProcess engine = server.start(engine(Map.of(), "engine.log"), NEVER);

            assertThat(forked(engine)).isFalse();
            assertThat(server.fault()).hasValue("the imports start threads, which no fork has (1 beside the first)");
            engine.close();
        }
    }

    @Test
    void theSwitchTurnsForksOff() {
        Map<String, String> off = Map.of(ForkServer.SWITCH, "0");
        try (ForkServer server = open(off, PATIENCE)) {
            SupervisedProcess engine = server.start(engine(off, "engine.log"), NEVER);

            assertThat(forked(engine)).isFalse();
            assertThat(server.fault()).as("nobody needs to be told").isEmpty();
            assertThat(folder.resolve("server.log")).doesNotExist();
            engine.close();
        }
    }

    @Test
    void anAcceleratorWithoutForksIsNoFault() throws Exception {
        Map<String, String> other = Map.of("SGLANG_RAY_DEVICE", "musa", ForkServer.SWITCH, "");
        try (ForkServer server = ForkServer.open(
                spec("sglang_ray.fork_server", List.of("srt"), other, "server.log"),
                folder.resolve("forks"),
                PATIENCE,
                PATIENCE)) {
            SupervisedProcess engine = server.start(engine(other, "engine.log"), NEVER);

            assertThat(forked(engine)).isFalse();
            assertThat(folder.resolve("server.log")).content().contains("engines cannot be forked: ");
            assertThat(server.fault()).isEmpty();
            engine.close();
        }
    }

    @Test
    void aFolderWithTooLongANameForbidsForks() throws Exception {
        Path deep = folder.resolve("x".repeat(100));
        try (ForkServer server = open(Map.of(), PATIENCE, PATIENCE, deep)) {
            SupervisedProcess engine = server.start(engine(Map.of(), "engine.log"), NEVER);

            assertThat(forked(engine)).isFalse();
            assertThat(server.fault()).hasValueSatisfying(why -> assertThat(why).contains("AF_UNIX path too long"));
            engine.close();
        }
    }

    @Test
    void aForkServerThatDiesAgainAndAgainWhileItImportsIsGivenUp() throws Exception {
        imports("TEXT = 'first'\nif 'engine' not in str(__import__('sys').argv): os.kill(os.getpid(), 9)");
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            SupervisedProcess engine = server.start(engine(Map.of(), "engine.log"), NEVER);
            assertThat(forked(engine)).isFalse();
            engine.close();
            await().atMost(PATIENCE).untilAsserted(() -> {
                SupervisedProcess next = server.start(engine(Map.of(), "next.log"), NEVER);
                next.close();
                assertThat(server.fault())
                        .hasValueSatisfying(why -> assertThat(why).contains("ended while it imported"));
            });
        }
    }

    @Test
    void importsCanBeWaitedForBeforeAStart() throws Exception {
        Path go = folder.resolve("go");
        imports("TEXT = 'first'\nimport os, time\nwhile not os.path.exists('" + go + "'): time.sleep(0.01)");
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            CompletableFuture<Void> abort = new CompletableFuture<>();
            CompletableFuture<Void> aborted = CompletableFuture.runAsync(() -> server.awaitImports(abort));
            CompletableFuture<Void> patient = CompletableFuture.runAsync(() -> server.awaitImports(NEVER));
            abort.complete(null);
            aborted.get(20, TimeUnit.SECONDS);
            assertThat(patient).isNotDone();
            Files.createFile(go);
            patient.get(60, TimeUnit.SECONDS);
            try (SupervisedProcess engine =
                    server.start(engine(Map.of(), "engine.log"), CompletableFuture.completedFuture(null))) {
                assertThat(forked(engine)).isTrue();
            }
        }
    }

    @Test
    void aStartThatWaitsForImportsCanBeAborted() throws Exception {
        imports("TEXT = 'first'\nimport time\ntime.sleep(600)");
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            CompletableFuture<Void> abort = new CompletableFuture<>();
            CompletableFuture<SupervisedProcess> start =
                    CompletableFuture.supplyAsync(() -> server.start(engine(Map.of(), "engine.log"), abort));
            abort.complete(null);

            assertThatThrownBy(() -> start.get(20, TimeUnit.SECONDS))
                    .hasMessageContaining("was aborted while its fork server was importing");
        }
    }

    @Test
    void allDiesWithTheJvm() throws Exception {
        Process jvm = new ProcessBuilder(
                        System.getProperty("java.home") + "/bin/java",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HaltingOwner.class.getName(),
                        folder.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("jvm.log").toFile())
                .start();
        assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(jvm.exitValue()).isEqualTo(3);

        for (String pid : Files.readString(folder.resolve("pids")).split(" ", -1)) {
            await().until(() -> ProcessHandle.of(Long.parseLong(pid)).isEmpty());
        }
        await().untilAsserted(() -> assertThat(folder.resolve("forks")).isEmptyDirectory());
    }

    /** Forks an engine and dies without any clean-up. */
    static final class HaltingOwner {
        private HaltingOwner() {}

        public static void main(String[] arguments) throws Exception {
            ForkServerTest test = new ForkServerTest();
            test.folder = Path.of(arguments[0]);
            test.standIn();
            ForkServer server = test.open(Map.of(), PATIENCE);
            SupervisedProcess engine = server.start(test.engine(Map.of(), "engine.log"), NEVER);
            Files.writeString(test.folder.resolve("pids"), engine.pid() + " " + saying(engine)[0]);
            Runtime.getRuntime().halt(3);
        }
    }

    @Test
    void theSocketOfAForkServerWhoseSupervisorIsKilledIsRemoved() throws Exception {
        try (ForkServer server = open(Map.of(), PATIENCE)) {
            SupervisedProcess engine = server.start(engine(Map.of(), "engine.log"), NEVER);
            ProcessHandle watcher = process(saying(engine)[0]).parent().orElseThrow();
            Path socket = sockets().get(0);
            watcher.destroyForcibly();

            await().atMost(PATIENCE).until(() -> Files.notExists(socket));
        }
        assertThat(folder.resolve("forks")).isEmptyDirectory();
    }

    private List<Path> sockets() throws IOException {
        try (Stream<Path> all = Files.list(folder.resolve("forks"))) {
            return all.toList();
        }
    }

    @Test
    void itsEndIsTheEndOfAll() {
        ForkServer server = open(Map.of(), PATIENCE);
        SupervisedProcess engine = server.start(engine(Map.of(), "engine.log"), NEVER);
        ProcessHandle imported = process(saying(engine)[0]);
        server.close();

        assertThat(imported.isAlive()).isFalse();
        assertThat(engine.isAlive()).isFalse();
        assertThat(folder.resolve("forks")).isEmptyDirectory();
        SupervisedProcess late = server.start(engine(Map.of(), "late.log"), NEVER);
        assertThat(forked(late)).isFalse();
        late.close();
    }
}
