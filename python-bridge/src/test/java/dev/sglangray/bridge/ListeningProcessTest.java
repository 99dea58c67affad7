/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who listens on port 23456 (5BA0), in a made-up {@code /proc}. */
class ListeningProcessTest {
    private static final int PORT = 23456;

    @TempDir
    private Path proc;

    @BeforeEach
    void table() throws IOException {
        Files.createDirectories(proc.resolve("net"));
        Files.writeString(proc.resolve("net/tcp"), """
                  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
                   0: 00000000:5BA0 00000000:0000 0A 00000000:00000000 00:00000000 00000000 12346        0 777 1 0 100 0
                   1: 0100007F:5BA0 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 778 1 0 100 0
                   2: 00000000:5BA1 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 779 1 0 100 0
                """);
    }

    @Test
    void aListenerWhoseProcessCannotBeSeenIsAStranger() {
        assertThat(ListeningProcess.stranger(proc, PORT, holder -> true))
                .contains("a process of the user 12346 that cannot be seen from here");
    }

    @Test
    void aListenerInAProcessOfOursIsNone() throws IOException {
        holds(4711, 777);
        holds(4712, 777);

        assertThat(ListeningProcess.stranger(proc, PORT, holder -> holder.pid() == 4712))
                .isEmpty();
        assertThat(ListeningProcess.stranger(proc, PORT, holder -> false))
                .get()
                .asString()
                .startsWith("process 471");
    }

    @Test
    void aConnectionOfOursIsNoListener() throws IOException {
        holds(4711, 778);

        assertThat(ListeningProcess.stranger(proc, PORT, holder -> true))
                .get()
                .asString()
                .contains("user 12346");
    }

    @Test
    void nobodyListens() {
        assertThat(ListeningProcess.stranger(proc, 23000, holder -> false)).isEmpty();
    }

    private void holds(int pid, int inode) throws IOException {
        Path descriptors = Files.createDirectories(proc.resolve(pid + "/fd"));
        Files.createSymbolicLink(descriptors.resolve("3"), Path.of("socket:[" + inode + "]"));
    }
}
