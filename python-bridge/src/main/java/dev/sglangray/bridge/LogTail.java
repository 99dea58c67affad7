/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** Reads the end of a log file without reading the rest of it. */
public final class LogTail {

    /** Colours and other marks for terminals. */
    private static final Pattern MARKS = Pattern.compile("\u001B\\[[0-9;]*[A-Za-z]");

    /** At most this much of the file's end is looked at, however many lines are asked for. */
    private static final int MAX_BYTES = 1 << 20;

    private LogTail() {}

    /**
     * The last lines of a UTF-8 file, oldest first, without colours. Bytes that are not UTF-8 become replacement characters.
     * Never fails: of a log that cannot be read the only line says so, and why.
     *
     * @param file the log; a missing file has no lines
     * @param lines how many at most, 0 or more
     */
    public static List<String> read(Path file, int lines) {
        if (lines <= 0 || !Files.exists(file)) {
            return List.of();
        }
        try (SeekableByteChannel in = Files.newByteChannel(file)) {
            return read(in, lines);
        } catch (IOException | RuntimeException e) {
            return List.of("[the log " + file + " cannot be read: " + e + "]");
        }
    }

    static List<String> read(SeekableByteChannel in, int lines) throws IOException {
        long length = in.size();
        int size = (int) Math.min(length, MAX_BYTES);
        ByteBuffer bytes = ByteBuffer.allocate(size);
        in.position(length - size);
        // The file may have become shorter since.
        while (bytes.hasRemaining() && in.read(bytes) > 0) {}
        String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
        if (size < length) {
            text = text.substring(text.indexOf('\n') + 1);
        }
        return last(text, lines);
    }

    /** The last lines of a text, without colours. */
    static List<String> last(String text, int lines) {
        List<String> all = MARKS.matcher(text).replaceAll("").lines().toList();
        return List.copyOf(all.subList(Math.max(0, all.size() - lines), all.size()));
    }
}
