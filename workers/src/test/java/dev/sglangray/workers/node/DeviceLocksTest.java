/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sglangray.workers.protocol.WorkerFailure;
import java.io.IOException;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may start on which accelerator, with processes of the machine as the others. */
class DeviceLocksTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String HOLDER = """
            import fcntl, sys, time
            file = open(sys.argv[1], "w")
            fcntl.lockf(file, fcntl.LOCK_EX)
            file.write("other:3 (process 4711)")
            file.flush()
            print("held", flush=True)
            time.sleep(100)
            """;

    @TempDir
    Path folder;

    private final CompletableFuture<Void> never = new CompletableFuture<>();
    private final List<@Nullable String> waits = new CopyOnWriteArrayList<>();
    private DeviceLocks locks;
    private Path shared;

    @BeforeEach
    void create() {
        shared = folder.resolve("shared");
        locks = new DeviceLocks(folder, new SharedFolder(folder, "shared"));
    }

    private DeviceLocks.Held acquire(Duration patience, String... devices) {
        return locks.acquire(List.of(devices), "engines:0", patience, never, waits::add);
    }

    private Process otherProcess(String device) throws IOException {
        return holder(folder, device);
    }

    private static Process holder(Path folder, String device) throws IOException {
        Process other = new ProcessBuilder(
                        "python3",
                        "-c",
                        HOLDER,
                        folder.resolve("device-" + device + ".lock").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(other.inputReader().readLine()).isEqualTo("held");
        return other;
    }

    @Test
    void theDeathOfAnotherProcessFreesWhatItHeld() throws IOException {
        Process other = otherProcess("1");
        try {
            CompletableFuture<DeviceLocks.Held> mine = CompletableFuture.supplyAsync(() -> acquire(LONG, "1", "0"));
            await().atMost(LONG).until(() -> !waits.isEmpty());
            assertThat(waits)
                    .containsExactly("waits for accelerator 1, on which other:3 (process 4711) is being started");
            assertThat(mine).isNotDone();
            other.destroyForcibly();
            try (DeviceLocks.Held held = mine.orTimeout(20, TimeUnit.SECONDS).join()) {
                assertThat(held).isNotNull();
                assertThat(Files.readString(folder.resolve("device-0.lock"))).startsWith("engines:0 (process ");
            }
            assertThat(waits).hasSize(2).endsWith((String) null);
        } finally {
            other.destroyForcibly();
        }
    }

    @Test
    void anEngineOfAnotherUserIsWaitedForToo() throws IOException {
        Files.createDirectory(shared);
        Process other = holder(shared, "1");
        try {
            CompletableFuture<DeviceLocks.Held> mine = CompletableFuture.supplyAsync(() -> acquire(LONG, "1"));
            await().atMost(LONG).until(() -> !waits.isEmpty());
            assertThat(waits)
                    .containsExactly("waits for accelerator 1, on which an engine of another user is being started");
            other.destroyForcibly();
            mine.orTimeout(20, TimeUnit.SECONDS).join().close();
        } finally {
            other.destroyForcibly();
        }
    }

    /** Every user can lock what we have made, and finds it locked. */
    @Test
    void whatIsMadeForAllUsersIsOpenToThem() throws IOException {
        try (DeviceLocks.Held held = acquire(LONG, "0")) {
            assertThat(held).isNotNull();
            Path file = shared.resolve("device-0.lock");
            assertThat(Files.getAttribute(shared, "unix:mode")).isEqualTo(0041777);
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-rw-rw-");
            assertThat(file).isEmptyFile();
            DeviceLocks another = new DeviceLocks(folder.resolve("another"), new SharedFolder(folder, "shared"));
            // In this process the kernel knows no difference, and Java says so.
            assertThatThrownBy(() -> another.acquire(List.of("0"), "x", LONG, never, waits::add))
                    .isInstanceOf(OverlappingFileLockException.class);
        }
    }

    @Test
    void linksOfAnotherUserAreNotFollowedAndForbidNoStart() throws IOException {
        Path target = Files.createDirectory(folder.resolve("target"));
        Files.createSymbolicLink(shared, target);
        acquire(LONG, "0").close();
        assertThat(target).isEmptyDirectory();

        Files.delete(shared);
        Files.createDirectory(shared);
        Path made = folder.resolve("made");
        Files.createSymbolicLink(shared.resolve("device-0.lock"), made);
        acquire(LONG, "0").close();
        assertThat(made).doesNotExist();

        Files.delete(shared.resolve("device-0.lock"));
        Files.createDirectory(shared.resolve("device-0.lock"));
        acquire(LONG, "0").close();
    }

    @Test
    void aPipeOfAnotherUserHoldsUpNoStart() throws Exception {
        Files.createDirectory(shared);
        Path pipe = shared.resolve("device-0.lock");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();

        CompletableFuture.supplyAsync(() -> acquire(LONG, "0"))
                .orTimeout(20, TimeUnit.SECONDS)
                .join()
                .close();
    }

    @Test
    void aLockThatAnotherUserNeverGivesBackForbidsNoStart() throws IOException {
        Files.createDirectory(shared);
        Process other = holder(shared, "1");
        try {
            acquire(Duration.ofMillis(300), "1").close();
            assertThat(waits)
                    .containsExactly(
                            "waits for accelerator 1, on which an engine of another user is being started", null);
        } finally {
            other.destroyForcibly();
        }
    }

    @Test
    void patienceEndsAndNothingIsHeldThen() throws IOException {
        Process other = otherProcess("1");
        try {
            assertThatThrownBy(() -> acquire(Duration.ofMillis(300), "0", "1"))
                    .isInstanceOf(WorkerFailure.class)
                    .hasMessageContainingAll("accelerator 1 was not free", "0.3 s", "other:3 (process 4711)");
            acquire(LONG, "0").close();
        } finally {
            other.destroyForcibly();
        }
    }

    @Test
    void aShutdownAndAnInterruptEndTheWait() throws InterruptedException {
        try (DeviceLocks.Held held = acquire(LONG, "0")) {
            assertThat(held).isNotNull();
            CompletableFuture<Void> abort = new CompletableFuture<>();
            CompletableFuture<?> aborted =
                    CompletableFuture.runAsync(() -> locks.acquire(List.of("0"), "engines:1", LONG, abort, waits::add));
            await().atMost(LONG)
                    .until(() -> waits.contains(
                            "waits for accelerator 0, on which another engine of this" + " process is being started"));
            abort.complete(null);
            assertThatThrownBy(aborted::join).hasMessageContaining("aborted by a shutdown");

            List<Boolean> flags = new CopyOnWriteArrayList<>();
            Thread waiter = new Thread(() -> {
                try {
                    acquire(LONG, "0");
                } catch (WorkerFailure e) {
                    flags.add(Thread.currentThread().isInterrupted());
                }
            });
            waiter.start();
            waiter.interrupt();
            waiter.join(LONG.toMillis());
            assertThat(flags).containsExactly(true);
        }
    }

    @Test
    void noTwoWhoWantTheSameInAnotherOrderWaitForEachOther() {
        AtomicInteger inside = new AtomicInteger();
        List<CompletableFuture<?>> all = new ArrayList<>();
        for (String[] wanted : new String[][] {{"2", "10"}, {"10", "2"}, {"2"}, {"10", "2", "2"}}) {
            all.add(CompletableFuture.runAsync(
                    () -> {
                        for (int i = 0; i < 3; i++) {
                            try (DeviceLocks.Held held = acquire(LONG, wanted)) {
                                assertThat(held).isNotNull();
                                assertThat(inside.incrementAndGet()).isOne();
                                inside.decrementAndGet();
                            }
                        }
                    },
                    task -> new Thread(task).start()));
        }
        CompletableFuture.allOf(all.toArray(CompletableFuture<?>[]::new))
                .orTimeout(60, TimeUnit.SECONDS)
                .join();
    }

    @Test
    void withoutAcceleratorsNothingIsLocked() {
        acquire(LONG).close();
        assertThat(folder).isEmptyDirectory();
    }
}
