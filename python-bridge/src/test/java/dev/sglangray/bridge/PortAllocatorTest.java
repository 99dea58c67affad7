/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PortAllocatorTest {
    private static final int MIN = 18100;
    private static final int MAX = 18131;

    @TempDir
    Path folder;

    @Test
    void neverGivesAPortTwiceAndGivesItAgainAfterClose() {
        PortAllocator ports = new PortAllocator(folder, MIN, MIN + 2);
        Set<Integer> given = new HashSet<>();
        List<PortLease> leases =
                IntStream.range(0, 3).mapToObj(i -> ports.acquire()).toList();
        leases.forEach(l -> given.add(l.port()));

        assertThat(given).containsExactlyInAnyOrder(MIN, MIN + 1, MIN + 2);
        assertThatThrownBy(ports::acquire)
                .isInstanceOf(PortUnavailableException.class)
                .hasMessageContaining("18100 to 18102");

        leases.get(1).close();
        leases.get(1).close();
        try (PortLease again = ports.acquire()) {
            assertThat(again.port()).isEqualTo(leases.get(1).port());
        }
        leases.forEach(PortLease::close);
    }

    @Test
    void aPortThatWasGivenBackComesAgainOnlyAfterTheRestOfTheRange() {
        PortAllocator ports = new PortAllocator(folder, MIN, MIN + 4);
        Set<Integer> given = new HashSet<>();

        for (int i = 0; i < 5; i++) {
            try (PortLease lease = ports.acquire()) {
                given.add(lease.port());
            }
        }

        assertThat(given).hasSize(5);
    }

    @Test
    void aRunHasPortsInARowAndSkipsThoseThatAreTaken() {
        PortAllocator ports = new PortAllocator(folder, MIN, MIN + 9);
        try (PortLease taken = ports.acquire(MIN + 4)) {
            List<PortLease> run = ports.acquireRun(5);
            assertThat(run).extracting(PortLease::port).containsExactly(MIN + 5, MIN + 6, MIN + 7, MIN + 8, MIN + 9);
            assertThatThrownBy(() -> ports.acquireRun(5)).hasMessageContaining("no 5 free ports in a row");
            List<PortLease> rest = ports.acquireRun(4);
            assertThat(rest).extracting(PortLease::port).containsExactly(MIN, MIN + 1, MIN + 2, MIN + 3);
            run.forEach(PortLease::close);
            rest.forEach(PortLease::close);
            assertThat(taken.port()).isEqualTo(MIN + 4);
        }
    }

    @Test
    void aSecondAllocatorInTheSameJvmNeitherTakesNorReleasesTheLock() throws Exception {
        try (PortLease lease = new PortAllocator(folder, MIN, MIN).acquire()) {
            assertThatThrownBy(() -> new PortAllocator(folder, MIN, MIN).acquire())
                    .isInstanceOf(PortUnavailableException.class);

            assertThat(inAnotherProcess(lease.port())).isEqualTo("taken");
        }
        assertThat(inAnotherProcess(MIN)).isEqualTo("free");
    }

    @Test
    void manyThreadsGetDifferentPorts() {
        PortAllocator ports = new PortAllocator(folder, MIN, MAX);
        Set<Integer> seen = ConcurrentHashMap.newKeySet();
        List<PortLease> leases = IntStream.range(0, 24)
                .parallel()
                .mapToObj(i -> {
                    PortLease lease = ports.acquire();
                    assertThat(seen.add(lease.port())).isTrue();
                    return lease;
                })
                .toList();

        assertThat(leases).hasSize(24);
        leases.forEach(PortLease::close);
    }

    @Test
    void skipsAPortOnWhichSomebodyListensAndNamesThemWhenItWasAskedFor() throws IOException {
        PortAllocator ports = new PortAllocator(folder, MIN, MIN + 1);
        try (ServerSocket stranger = new ServerSocket(MIN)) {
            try (PortLease lease = ports.acquire()) {
                assertThat(lease.port()).isEqualTo(MIN + 1);
            }
            assertThatThrownBy(() -> ports.acquire(stranger.getLocalPort()))
                    .isInstanceOf(PortUnavailableException.class)
                    .hasMessageContaining("Port 18100 of this node is taken by process "
                            + ProcessHandle.current().pid())
                    .hasMessageContaining("java");
        }
        ports.acquire(MIN).close();
    }

    @Test
    void refusesNumbersThatAreNoPorts() {
        PortAllocator ports = new PortAllocator(folder, MIN, MAX);

        assertThatThrownBy(() -> ports.acquire(70000))
                .hasMessageContaining("70000")
                .hasMessageContaining("65535");
        assertThatThrownBy(() -> new PortAllocator(folder, 5, 4)).isInstanceOf(IllegalArgumentException.class);
    }

    /** POSIX locks are per process, so only another process can tell whether ours holds. */
    private String inAnotherProcess(int port) throws Exception {
        String code = "import fcntl,sys\nf=open(sys.argv[1],'r+')\ntry:\n fcntl.lockf(f,fcntl.LOCK_EX|fcntl.LOCK_NB)\n"
                + " print('free')\nexcept OSError:\n print('taken')";
        Process python = new ProcessBuilder(
                        "python3", "-c", code, folder.resolve(port + ".lock").toString())
                .start();
        return new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }
}
