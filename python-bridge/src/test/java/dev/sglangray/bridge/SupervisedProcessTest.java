/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SupervisedProcessTest {
    private static final String STUBBORN_FAMILY = """
            import signal, subprocess, sys
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            grandchild = subprocess.Popen([sys.executable, "-c",
                "import os,signal,time; os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN);"
                "print('grandchild', os.getpid(), flush=True); time.sleep(100)"])
            grandchild.wait()
            """;

    @TempDir
    Path folder;

    @Test
    void givesTheChildItsInputAndKeepsItsOutputAndExitCode() throws Exception {
        String code = "import sys; print(sys.stdin.read().upper()); print('bad', file=sys.stderr); sys.exit(7)";
        try (SupervisedProcess child = SupervisedProcess.start(Scripts.python(folder, code, "payload"))) {
            ProcessExit exit = child.onExit().get(20, TimeUnit.SECONDS);

            assertThat(exit).isEqualTo(new ProcessExit(7, null));
            assertThat(exit.describe()).isEqualTo("exit code 7");
            assertThat(child.isAlive()).isFalse();
            assertThat(child.logTail(10)).containsExactlyInAnyOrder("PAYLOAD", "bad");
        }
    }

    @Test
    void theLogIsForItsUserOnly() throws Exception {
        ProcessSpec spec = Scripts.python(folder, "", null);
        try (SupervisedProcess child = SupervisedProcess.start(spec)) {
            assertThat(Files.getPosixFilePermissions(child.logFile()))
                    .isSubsetOf(PosixFilePermissions.fromString("rw-------"));
        }
    }

    @Test
    void aFifoIsNoLog() throws Exception {
        ProcessSpec spec = Scripts.python(folder, "", null);
        Files.createDirectories(spec.logFile().getParent());
        assertThat(new ProcessBuilder("mkfifo", spec.logFile().toString())
                        .start()
                        .waitFor())
                .isZero();

        assertThatThrownBy(() -> SupervisedProcess.start(spec))
                .isInstanceOf(ProcessStartException.class)
                .hasMessageContaining(spec.logFile() + " is a FIFO");
    }

    @Test
    void namesTheSignalThatEndedTheChild() throws Exception {
        try (SupervisedProcess child = SupervisedProcess.start(sleeper())) {
            ProcessHandle.of(child.pid()).orElseThrow().destroyForcibly();

            assertThat(child.onExit().get(20, TimeUnit.SECONDS).describe()).startsWith("killed by SIGKILL");
        }
    }

    @Test
    void namesTheProcessOfAnEngineWhoseDeathWasItsEnd() throws Exception {
        String engine = """
                import ctypes, os, time
                rank = os.fork()
                if rank == 0:
                    ctypes.CDLL(None).prctl(15, b"sglang::schedul")
                else:
                    print(rank, flush=True)
                time.sleep(100)
                """;
        try (SupervisedProcess child = SupervisedProcess.start(Scripts.python(folder, engine, null))) {
            await().until(() -> !child.logTail(1).isEmpty());
            long rank = Long.parseLong(child.logTail(1).get(0));
            long watcher = ProcessHandle.of(child.pid())
                    .orElseThrow()
                    .parent()
                    .orElseThrow()
                    .pid();
            await().until(() -> watches(watcher, rank));
            ProcessHandle.of(rank).orElseThrow().destroyForcibly();

            assertThat(child.onExit().get(20, TimeUnit.SECONDS).describe())
                    .isEqualTo("its process " + rank + " (sglang::schedul) was killed by SIGKILL"
                            + " (often the kernel's out-of-memory killer)");
            await().until(() -> child.logTail(1).get(0).contains("(sglang::schedul) was killed by SIGKILL"));
        }
    }

    private static boolean watches(long watcher, long process) throws IOException {
        try (Stream<Path> handles = Files.list(Path.of("/proc", Long.toString(watcher), "fdinfo"))) {
            for (Path handle : handles.toList()) {
                try {
                    if (Files.readString(handle).contains("\nPid:\t" + process + "\n")) {
                        return true;
                    }
                } catch (NoSuchFileException e) {
                    // It was closed meanwhile.
                }
            }
            return false;
        }
    }

    @Test
    void anExitIsKnownThoughTheLogCannotBeRead() throws Exception {
        SupervisedProcess child = SupervisedProcess.start(sleeper());
        Files.move(child.logFile(), folder.resolve("rotated"));
        Files.createDirectory(child.logFile());
        ProcessHandle.of(child.pid()).orElseThrow().destroyForcibly();

        assertThat(child.onExit().get(5, TimeUnit.SECONDS).signal()).isEqualTo("SIGKILL");
        child.terminate(Duration.ZERO);
        assertThat(child.logTail(3)).singleElement().asString().contains("cannot be read");
        child.close();
    }

    @Test
    void anExitIsKnownBeforeWhatTheChildLeftBehindIsGone() throws Exception {
        SupervisedProcess child = SupervisedProcess.start(Scripts.python(folder, STUBBORN_FAMILY, null));
        await().until(() -> child.logTail(1).stream().anyMatch(line -> line.startsWith("grandchild")));
        long grandchild = Long.parseLong(child.logTail(1).get(0).split(" ", -1)[1]);

        ProcessHandle.of(child.pid()).orElseThrow().destroyForcibly();
        child.onExit().get(20, TimeUnit.SECONDS);

        assertThat(ProcessHandle.of(grandchild)).isPresent();
        await().until(() -> ProcessHandle.of(grandchild).isEmpty());
        child.close();
    }

    @Test
    void terminateEndsTheWholeFamilyEvenWhenItIgnoresSigterm() {
        SupervisedProcess child = SupervisedProcess.start(Scripts.python(folder, STUBBORN_FAMILY, null));
        await().until(() -> child.logTail(1).stream().anyMatch(line -> line.startsWith("grandchild")));
        long grandchild = Long.parseLong(child.logTail(1).get(0).split(" ", -1)[1]);

        ProcessExit exit = child.terminate(Duration.ofMillis(200));

        assertThat(exit.signal()).isEqualTo("SIGKILL");
        assertThat(ProcessHandle.of(grandchild)).isEmpty();
        assertThat(child.terminate(Duration.ZERO)).isEqualTo(exit);
        child.close();
    }

    @Test
    void whatIsLeftWhenBothProcessesOfTheSupervisorAreKilledIsEnded() throws Exception {
        SupervisedProcess child = SupervisedProcess.start(Scripts.python(folder, STUBBORN_FAMILY, null));
        await().until(() -> child.logTail(1).stream().anyMatch(line -> line.startsWith("grandchild")));
        long grandchild = Long.parseLong(child.logTail(1).get(0).split(" ", -1)[1]);
        ProcessHandle watcher =
                ProcessHandle.of(child.pid()).orElseThrow().parent().orElseThrow();
        ProcessHandle relay = watcher.parent().orElseThrow();
        // So that it ends nothing itself before it is killed.
        assertThat(new ProcessBuilder("kill", "-STOP", Long.toString(relay.pid()))
                        .start()
                        .waitFor())
                .isZero();
        watcher.destroyForcibly();
        relay.destroyForcibly();

        child.onExit().get(20, TimeUnit.SECONDS);
        child.terminate(Duration.ofSeconds(20));
        await().untilAsserted(() -> assertThat(ProcessHandle.of(grandchild)).isEmpty());
        child.close();
    }

    @Test
    void anInterruptedTerminateKillsAtOnceAndKeepsTheFlag() {
        SupervisedProcess child = SupervisedProcess.start(Scripts.python(folder, STUBBORN_FAMILY, null));
        await().until(() -> !child.logTail(1).isEmpty());

        Thread.currentThread().interrupt();
        child.terminate(Duration.ofMinutes(5));

        assertThat(Thread.interrupted()).isTrue();
        assertThat(child.isAlive()).isFalse();
        child.close();
    }

    @Test
    void theChildOutlivesTheThreadThatStartedIt() throws Exception {
        FutureTask<SupervisedProcess> start = new FutureTask<>(() -> SupervisedProcess.start(sleeper()));
        Thread starter = new Thread(start);
        starter.start();
        starter.join();

        try (SupervisedProcess child = start.get()) {
            await().during(Duration.ofMillis(300)).until(child::isAlive);
        }
    }

    @Test
    void theChildDiesWithTheJvm() throws Exception {
        Process jvm = new ProcessBuilder(
                        System.getProperty("java.home") + "/bin/java",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HaltingJvm.class.getName(),
                        folder.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("jvm.log").toFile())
                .start();
        assertThat(jvm.waitFor(30, TimeUnit.SECONDS)).isTrue();

        long child = Long.parseLong(Files.readString(folder.resolve("pid")));
        await().until(() -> ProcessHandle.of(child).isEmpty());
    }

    @Test
    void saysWhichProgramIsMissing() {
        assertThatThrownBy(() -> SupervisedProcess.start(Scripts.command(folder, List.of("/no/such/program"), null)))
                .isInstanceOf(ProcessStartException.class)
                .hasMessageContaining("/no/such/program");
    }

    @Test
    void saysWhichInterpreterIsMissing() {
        ProcessSpec good = sleeper();
        ProcessSpec bad = new ProcessSpec(
                good.name(),
                "/no/such/python",
                good.supervisorScript(),
                good.command(),
                good.environment(),
                null,
                null,
                good.logFile(),
                good.grace());

        assertThatThrownBy(() -> SupervisedProcess.start(bad))
                .isInstanceOf(ProcessStartException.class)
                .hasMessageContaining("/no/such/python");
    }

    @Test
    void itsTextHasNoInput() {
        assertThat(Scripts.python(folder, "pass", "the-secret").toString()).doesNotContain("the-secret");
    }

    private ProcessSpec sleeper() {
        return Scripts.python(folder, "import time; time.sleep(100)", null);
    }
}
