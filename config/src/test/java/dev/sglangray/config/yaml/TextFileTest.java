/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.config.yaml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.sglangray.config.error.ConfigException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextFileTest {
    @TempDir
    private Path folder;

    @Test
    void aPipeThatNobodyWritesToIsNotWaitedForForEver() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();

        assertThatThrownBy(() -> TextFile.read(pipe, Duration.ofMillis(1)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("nothing has written all of it within");
    }

    @Test
    void anInterruptEndsTheWait() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> TextFile.read(pipe)).hasMessageContaining("reading it was interrupted");
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void aFileThatMayNotBeReadSaysSo() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "a: 1");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        assumeFalse(Files.isReadable(file), "root reads everything");

        assertThatThrownBy(() -> TextFile.read(file)).hasMessageContaining("may not be read by the user");
    }

    @Test
    void refusesFilesThatAreNoText() throws IOException {
        Path latin = Files.write(folder.resolve("latin.yaml"), "a: \u00e9".getBytes(StandardCharsets.ISO_8859_1));
        Path large = Files.write(folder.resolve("large.yaml"), new byte[TextFile.MAX_BYTES + 1]);

        assertThatThrownBy(() -> TextFile.read(latin)).hasMessageContaining("not UTF-8");
        assertThatThrownBy(() -> TextFile.read(large)).hasMessageContaining("larger than");
        assertThatThrownBy(() -> TextFile.read(folder.resolve("none.yaml"))).hasMessageContaining("no such file");
    }
}
