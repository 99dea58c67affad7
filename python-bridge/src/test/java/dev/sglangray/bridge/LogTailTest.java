/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
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

    @Test
    void readsOnInOlderPartsWhereTheNewestHasLess() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "lle\nnewest\n");
        Files.writeString(folder.resolve("log.1"), "older\nsp");
        Files.writeString(folder.resolve("log.2"), "oldest\n");

        assertThat(LogTail.read(log, 1)).containsExactly("newest");
        assertThat(LogTail.read(log, 3)).containsExactly("older", "splle", "newest");
        assertThat(LogTail.read(log, 9)).containsExactly("oldest", "older", "splle", "newest");
        Files.delete(log);
        assertThat(LogTail.read(log, 2)).as("it has just been renamed").containsExactly("older", "sp");
    }

    @Test
    void aLogThatCannotBeReadSaysSoAndWhy() throws IOException {
        Path log = Files.createDirectory(folder.resolve("log"));

        assertThat(LogTail.read(log, 5)).singleElement().asString().contains("the log " + log + " cannot be read: ");
    }

    @Test
    void aLogThatIsCutMeanwhileHasWhatIsLeft() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "a\nb\n");

        try (SeekableByteChannel cut = new CutChannel(Files.newByteChannel(log))) {
            assertThat(LogTail.read(cut, 1000)).isEqualTo("a\nb\n".getBytes(StandardCharsets.UTF_8));
        }
    }

    /** A file that was longer when its length was asked for. */
    private record CutChannel(SeekableByteChannel file) implements SeekableByteChannel {
        @Override
        public long size() {
            return 100;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return file.read(into);
        }

        @Override
        public int write(ByteBuffer from) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long position() throws IOException {
            return file.position();
        }

        @Override
        public SeekableByteChannel position(long position) throws IOException {
            file.position(position);
            return this;
        }

        @Override
        public SeekableByteChannel truncate(long length) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isOpen() {
            return file.isOpen();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }
}
