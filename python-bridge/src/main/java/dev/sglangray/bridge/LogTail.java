/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/** Reads the end of a log file without reading the rest of it. */
public final class LogTail {

    /** Colours and other marks for terminals. */
    private static final Pattern MARKS = Pattern.compile("\u001B\\[[0-9;]*[A-Za-z]");

    /** At most this much of the log's end is looked at, however many lines are asked for. */
    private static final int MAX_BYTES = 1 << 20;
    /** So many files of a log the supervisor keeps: LOG, and the older LOG.1, LOG.2, ... */
    private static final int FILES = 4;

    private LogTail() {}

    /**
     * The last lines of a UTF-8 log, oldest first, without colours; those of its older parts too, where the newest has less. Bytes that
     * are not UTF-8 become replacement characters. Never fails: of a log that cannot be read the only line says so, and why.
     *
     * @param file the log; a missing file has no lines
     * @param lines how many at most, 0 or more
     */
    public static List<String> read(Path file, int lines) {
        if (lines <= 0) {
            return List.of();
        }
        try {
            return last(end(file, lines), lines);
        } catch (IOException | RuntimeException e) {
            return List.of("[the log " + file + " cannot be read: " + e + "]");
        }
    }

    private static String end(Path file, int lines) throws IOException {
        byte[] bytes = {};
        Object newer = null;
        for (int part = 0; part < FILES; part++) {
            Path path = part == 0 ? file : Path.of(file + "." + part);
            if (!Files.exists(path)) {
                // Of a log whose first file has just been renamed there is the second one.
                continue;
            }
            Object key = Files.readAttributes(path, BasicFileAttributes.class).fileKey();
            if (key != null && key.equals(newer)) {
                continue; // It was renamed after it was read.
            }
            newer = key;
            try (SeekableByteChannel in = Files.newByteChannel(path)) {
                int most = MAX_BYTES - bytes.length;
                boolean cut = in.size() > most;
                bytes = join(read(in, most), bytes);
                String text = new String(bytes, StandardCharsets.UTF_8);
                if (cut) {
                    return text.substring(text.indexOf('\n') + 1);
                }
                if (text.lines().count() > lines) {
                    return text;
                }
            }
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** The last bytes of a file. */
    static byte[] read(SeekableByteChannel in, int most) throws IOException {
        long length = in.size();
        ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(length, most));
        in.position(length - bytes.capacity());
        // The file may have become shorter since.
        while (bytes.hasRemaining() && in.read(bytes) > 0) {}
        return Arrays.copyOf(bytes.array(), bytes.position());
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** The last lines of a text, without colours. */
    static List<String> last(String text, int lines) {
        List<String> all = MARKS.matcher(text).replaceAll("").lines().toList();
        return List.copyOf(all.subList(Math.max(0, all.size() - lines), all.size()));
    }
}
