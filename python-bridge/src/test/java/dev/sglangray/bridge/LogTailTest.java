/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogTailTest {
    @TempDir
    Path folder;

    @Test
    void readsTheLastLines() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "a\nb\nc\nd");

        assertThat(LogTail.read(log, 2)).containsExactly("c", "d");
        assertThat(LogTail.read(log, 9)).containsExactly("a", "b", "c", "d");
        assertThat(LogTail.read(log, 0)).isEmpty();
    }

    @Test
    void leavesColoursOut() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "\u001B[2m2026\u001B[0m \u001B[32m INFO\u001B[0m ready\n");

        assertThat(LogTail.read(log, 1)).containsExactly("2026  INFO ready");
    }

    @Test
    void aMissingFileHasNoLines() {
        assertThat(LogTail.read(folder.resolve("none"), 5)).isEmpty();
    }

    @Test
    void readsOnlyTheEndOfALargeFile() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "first\n" + "x".repeat(3_000_000) + "\nlast\n");

        assertThat(LogTail.read(log, 2)).containsExactly("last");
    }
}
