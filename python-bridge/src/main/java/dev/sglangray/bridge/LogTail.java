/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.bridge;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the end of a log file without reading the rest of it, and follows a log that grows. Stateless. */
public final class LogTail {

    /** Colours and other marks for terminals. */
    private static final Pattern MARKS = Pattern.compile("\u001B\\[[0-9;]*[A-Za-z]");

    /** The end of the name of a process' log, from its worker's rank on. */
    private static final Pattern PROCESS = Pattern.compile("-\\d+(-[A-Za-z0-9]+)*\\.log$");

    /** At most this much of the log's end is looked at, however many lines are asked for. */
    private static final int MAX_BYTES = 1 << 20;
    /** So many files of a log the supervisor keeps: LOG, and the older LOG.1, LOG.2, ... */
    private static final int FILES = 4;

    /** At most this much is given of what came after a position. */
    static final int PIECE_BYTES = 1 << 16;

    private static final String LEFT_OUT = "[a line of more than 64 KiB is left out]";
    private static final String MISSING = "[lines are missing: the log has grown by more than is kept of it]";

    /**
     * How far a log has been read.
     *
     * @param file the log
     * @param key what names the part of the log, also after it was renamed
     * @param offset bytes from the part's begin
     * @param inLine whether the line at the offset is left out, since it is too long
     */
    public record Position(String file, String key, long offset, boolean inLine) {}

    /**
     * Whole lines of a log.
     *
     * @param next where the next piece begins; null while there is no log
     * @param lines the lines, without colours
     * @param unfinished what stands after them; empty when the log ends with a line's end
     * @param more whether the next piece has lines already
     */
    public record Piece(@Nullable Position next, List<String> lines, String unfinished, boolean more) {
        /** There is no log. */
        public static final Piece NONE = new Piece(null, List.of(), "", false);

        /** Copies the list. */
        public Piece {
            lines = List.copyOf(lines);
        }
    }

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
            return last(end(file, lines).text(), lines);
        } catch (IOException | RuntimeException e) {
            return List.of("[the log " + file + " cannot be read: " + e + "]");
        }
    }

    /**
     * The end of a log, as {@link #read}, to be followed from there.
     *
     * @throws IOException when the log cannot be read; a missing one has no lines
     */
    public static Piece tail(Path file, int lines) throws IOException {
        End end = end(file, Math.max(1, lines));
        if (end.key().isEmpty()) {
            return Piece.NONE;
        }
        int begin = end.cut() ? firstEnd(end.bytes()) : 0;
        int whole = whole(end.bytes(), begin);
        String unfinished = plain(end.bytes(), whole, end.bytes().length);
        return new Piece(
                new Position(file.toString(), end.key(), end.size() - (end.bytes().length - whole), false),
                last(plain(end.bytes(), begin, whole), Math.max(0, unfinished.isEmpty() ? lines : lines - 1)),
                lines <= 0 ? "" : unfinished,
                false);
    }

    /**
     * The lines after a position, {@value #PIECE_BYTES} bytes at most. A line counts once it has its end; one that is too long is left
     * out. So no word of a line is cut in two.
     *
     * @param current the log of the process that runs
     * @param from where an earlier piece ended; where that was in another process' log, its last lines come first, and then
     *     the current log from its begin
     * @throws IOException when the log cannot be read
     */
    public static Piece after(Path current, Position from) throws IOException {
        Path followed = Path.of(from.file());
        boolean replaced = !followed.equals(current);
        if (replaced && isOfTheSame(followed, current)) {
            Piece last = after(followed, from, true);
            if (!last.lines().isEmpty() || last.more()) {
                return last;
            }
        }
        return replaced
                ? after(current, new Position(current.toString(), "", 0, false), false)
                : after(current, from, false);
    }

    /** Whether both are logs of workers of one group. */
    private static boolean isOfTheSame(Path one, Path other) {
        return Objects.equals(one.getParent(), other.getParent()) && family(one).equals(family(other));
    }

    private static String family(Path log) {
        return PROCESS.matcher(String.valueOf(log.getFileName())).replaceFirst("");
    }

    /** Bytes of one part of a log. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Segment(String key, long from, byte[] bytes) {}

    private static Piece after(Path file, Position from, boolean ended) throws IOException {
        List<Segment> segments = segments(file, from);
        if (segments.isEmpty()) {
            return new Piece(from.key().isEmpty() ? null : from, List.of(), "", false);
        }
        byte[] bytes = segments.stream().map(Segment::bytes).reduce(new byte[0], LogTail::join);
        boolean more = bytes.length >= PIECE_BYTES;
        boolean missing = !from.key().isEmpty() && !segments.get(0).key().equals(from.key());
        boolean skips = from.inLine() && !missing;
        int begin = skips ? firstEnd(bytes) : 0;
        int whole = ended && !more ? bytes.length : whole(bytes, begin);
        boolean endless = more && (whole == 0 || (skips && begin == 0));
        List<String> lines = new ArrayList<>();
        if (missing) {
            lines.add(MISSING);
        }
        if (endless) {
            whole = bytes.length;
            if (!skips) {
                lines.add(LEFT_OUT);
            }
        } else if (skips && begin == 0) {
            // The end of the long line has not come yet.
            whole = bytes.length;
        } else {
            lines.addAll(plain(bytes, begin, whole).lines().toList());
        }
        return new Piece(position(file, segments, whole, endless || (skips && begin == 0)), lines, "", more);
    }

    private static Position position(Path file, List<Segment> segments, int read, boolean inLine) {
        int left = read;
        for (Segment segment : segments.subList(0, segments.size() - 1)) {
            if (left < segment.bytes().length) {
                return new Position(file.toString(), segment.key(), segment.from() + left, inLine);
            }
            left -= segment.bytes().length;
        }
        Segment last = segments.get(segments.size() - 1);
        return new Position(file.toString(), last.key(), last.from() + left, inLine);
    }

    /**
     * What follows a position, over the parts of the log; from the oldest part's begin where that of the position is gone. Nothing when
     * parts are being renamed: the next look finds them.
     */
    private static List<Segment> segments(Path file, Position from) throws IOException {
        List<Segment> following = new ArrayList<>();
        int room = PIECE_BYTES;
        List<Path> paths = new ArrayList<>();
        List<String> keys = new ArrayList<>();
        int found = -1;
        for (int part = 0; part < FILES && found < 0; part++) {
            Path path = part == 0 ? file : Path.of(file + "." + part);
            if (Files.exists(path)) {
                paths.add(path);
                keys.add(key(path));
                found = keys.get(keys.size() - 1).equals(from.key()) ? keys.size() - 1 : -1;
            }
        }
        for (int i = found < 0 ? keys.size() - 1 : found; i >= 0 && room > 0; i--) {
            long offset = i == found ? from.offset() : 0;
            try (SeekableByteChannel in = Files.newByteChannel(paths.get(i))) {
                in.position(offset);
                byte[] bytes = fill(in, (int) Math.max(0, Math.min(room, in.size() - offset)));
                if (!key(paths.get(i)).equals(keys.get(i))) {
                    return List.of();
                }
                following.add(new Segment(keys.get(i), offset, bytes));
                room -= bytes.length;
            }
        }
        return following;
    }

    private static String key(Path path) throws IOException {
        return String.valueOf(
                Files.readAttributes(path, BasicFileAttributes.class).fileKey());
    }

    /** The index after the last line's end, from an index on; that index when there is none. */
    private static int whole(byte[] bytes, int from) {
        for (int i = bytes.length - 1; i >= from; i--) {
            // What ends with a carriage return may go on with a line feed.
            if (bytes[i] == '\n' || (bytes[i] == '\r' && i < bytes.length - 1)) {
                return i + 1;
            }
        }
        return from;
    }

    /** The index after the first line's end, 0 when there is none. */
    private static int firstEnd(byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            if (bytes[i] == '\n' || bytes[i] == '\r') {
                return i + 1;
            }
        }
        return 0;
    }

    private static String plain(byte[] bytes, int from, int to) {
        return MARKS.matcher(new String(bytes, from, to - from, StandardCharsets.UTF_8))
                .replaceAll("");
    }

    /**
     * The end of a log.
     *
     * @param key that of its newest part, empty without one
     * @param size that of the newest part
     * @param cut whether the first line may not be whole
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record End(byte[] bytes, String key, long size, boolean cut) {
        String text() {
            String text = new String(bytes, StandardCharsets.UTF_8);
            return cut ? text.substring(text.indexOf('\n') + 1) : text;
        }
    }

    private static End end(Path file, int lines) throws IOException {
        byte[] bytes = {};
        String newest = "";
        String newer = "";
        long size = 0;
        for (int part = 0; part < FILES; part++) {
            Path path = part == 0 ? file : Path.of(file + "." + part);
            if (!Files.exists(path)) {
                // Of a log whose first file has just been renamed there is the second one.
                continue;
            }
            String key = key(path);
            if (key.equals(newer)) {
                continue; // It was renamed after it was read.
            }
            newer = key;
            try (SeekableByteChannel in = Files.newByteChannel(path)) {
                int most = MAX_BYTES - bytes.length;
                boolean cut = in.size() > most;
                byte[] read = read(in, most);
                bytes = join(read, bytes);
                if (newest.isEmpty()) {
                    newest = key;
                    size = in.position();
                }
                if (cut || new String(bytes, StandardCharsets.UTF_8).lines().count() > lines) {
                    return new End(bytes, newest, size, cut);
                }
            }
        }
        return new End(bytes, newest, size, false);
    }

    /** The last bytes of a file. */
    static byte[] read(SeekableByteChannel in, int most) throws IOException {
        long length = in.size();
        int count = (int) Math.min(length, most);
        in.position(length - count);
        return fill(in, count);
    }

    /** So many bytes; fewer where the file has become shorter since its size was asked for. */
    private static byte[] fill(SeekableByteChannel in, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
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
