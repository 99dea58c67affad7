/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
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

    private static LogTail.Position begin(Path log) {
        return new LogTail.Position(log.toString(), "", 0, false);
    }

    private static LogTail.Position next(LogTail.Piece piece) {
        return Objects.requireNonNull(piece.next());
    }

    private static void append(Path log, String text) throws IOException {
        Files.writeString(log, text, StandardOpenOption.APPEND);
    }

    @Test
    void aTailIsFollowedWithoutLossAndWithoutRepetition() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "a\nb\nc\nhal");

        LogTail.Piece tail = LogTail.tail(log, 3);
        assertThat(tail.lines()).containsExactly("b", "c");
        assertThat(tail.unfinished()).isEqualTo("hal");
        LogTail.Piece nothing = LogTail.after(log, next(tail));
        assertThat(nothing.lines()).as("a line without its end").isEmpty();
        append(log, "f\n\u001B[32mgreen\u001B[0m\n");
        LogTail.Piece more = LogTail.after(log, next(nothing));
        assertThat(more.lines()).containsExactly("half", "green");
        assertThat(more.more()).isFalse();
        assertThat(LogTail.after(log, next(more)).lines()).isEmpty();
        assertThat(LogTail.tail(folder.resolve("none"), 3)).isEqualTo(LogTail.Piece.NONE);
        assertThat(LogTail.tail(log, 0).lines()).isEmpty();
        assertThat(LogTail.tail(log, 0).next()).isEqualTo(next(more));
    }

    @Test
    void aProgressBarIsALineForEachStep() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "\r 10%\r 20%\r");

        LogTail.Piece first = LogTail.after(log, begin(log));
        assertThat(first.lines()).containsExactly("", " 10%");
        append(log, "\ndone\n");
        assertThat(LogTail.after(log, next(first)).lines()).containsExactly(" 20%", "done");
    }

    @Test
    void aLogIsFollowedOverItsRenaming() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "a\nb\nhal");
        LogTail.Position seen = next(LogTail.tail(log, 1));
        append(log, "");
        Files.move(log, folder.resolve("log.1"));
        Files.writeString(log, "f\nc\n");

        LogTail.Piece piece = LogTail.after(log, seen);
        assertThat(piece.lines()).containsExactly("half", "c");

        Files.move(folder.resolve("log.1"), folder.resolve("log.2"));
        Files.move(log, folder.resolve("log.1"));
        Files.writeString(log, "d\n");
        assertThat(LogTail.after(log, next(piece)).lines()).containsExactly("d");
    }

    @Test
    void aLogThatGrewByMoreThanIsKeptSaysSo() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "new\n");
        LogTail.Piece piece = LogTail.after(log, new LogTail.Position(log.toString(), "gone", 7, false));

        assertThat(piece.lines()).hasSize(2).element(0).asString().contains("lines are missing");
        assertThat(piece.lines()).element(1).isEqualTo("new");
    }

    @Test
    void aPieceIsBounded() throws IOException {
        String line = "0123456789012345678901234567890\n";
        Path log = Files.writeString(folder.resolve("log"), line.repeat(5_000));

        int lines = 0;
        int pieces = 0;
        for (LogTail.Piece piece = LogTail.after(log, begin(log)); ; piece = LogTail.after(log, next(piece))) {
            assertThat(piece.lines().size() * line.length()).isLessThanOrEqualTo(LogTail.PIECE_BYTES);
            lines += piece.lines().size();
            pieces++;
            if (!piece.more()) {
                break;
            }
        }
        assertThat(lines).isEqualTo(5_000);
        assertThat(pieces).isEqualTo(3);
    }

    @Test
    void aLineThatIsTooLongIsLeftOutAsAWhole() throws IOException {
        Path log = Files.writeString(folder.resolve("log"), "secret".repeat(30_000) + " end");

        LogTail.Piece first = LogTail.after(log, begin(log));
        assertThat(first.lines()).singleElement().asString().contains("more than 64 KiB");
        LogTail.Piece second = LogTail.after(log, next(first));
        LogTail.Piece third = LogTail.after(log, next(second));
        assertThat(second.lines()).isEmpty();
        assertThat(third.lines()).isEmpty();
        assertThat(third.more()).isFalse();
        append(log, " of it\nshort\n");
        assertThat(LogTail.after(log, next(third)).lines()).containsExactly("short");
    }

    @Test
    void theNextProcessLogBeginsWhenTheLastLinesOfTheOneBeforeAreGiven() throws IOException {
        Path before = Files.writeString(folder.resolve("sglang-engine-Group-0-17.log"), "a\n");
        LogTail.Position seen = next(LogTail.tail(before, 9));
        append(before, "b\nkilled in the mid");
        Path now = folder.resolve("sglang-engine-Group-0-17-restart1-1.log");
        Files.writeString(now, "hello\n");

        LogTail.Piece last = LogTail.after(now, seen);
        assertThat(last.lines()).containsExactly("b", "killed in the mid");
        assertThat(next(last).file()).isEqualTo(before.toString());
        LogTail.Piece first = LogTail.after(now, next(last));
        assertThat(first.lines()).containsExactly("hello");
        assertThat(next(first).file()).isEqualTo(now.toString());
    }

    @Test
    void noOtherFileIsReadThanALogOfTheSameGroup() throws IOException {
        Path now = Files.writeString(folder.resolve("sglang-engine-Group-0-17.log"), "mine\n");
        for (String name : List.of("passwords", "sglang-engine-Other-0-17.log", "sglang-router-Group-0-17.log")) {
            Path other = Files.writeString(folder.resolve(name), "theirs\n");
            assertThat(LogTail.after(now, begin(other)).lines()).as(name).containsExactly("mine");
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
