/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.config.error.Secrets;
import java.io.FileDescriptor;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The two streams of the command line: results go to standard output, words for people to standard error. Safe for use
 * by several threads.
 *
 * <p>While Ray is in this process both names are taken by others: its logging prints to {@code System.out}, and its
 * native half to file descriptor 2. So {@code System.out} is silenced, and where the start script has put the real
 * standard error on another descriptor (and a filter on 2), messages go there.
 */
public final class Console {
    private static final String HOME = "\u001b[H";
    private static final String CLEAR = "\u001b[2J";
    private static final String CLEAR_TO_END_OF_LINE = "\u001b[K";
    private static final String CLEAR_BELOW = "\u001b[J";
    private static final int SHORTEST_SECRET = 8;

    private final PrintStream out;
    private final PrintStream err;
    private final boolean terminal;
    private final boolean resultTerminal;
    private boolean repainted;
    private volatile List<String> secrets = List.of();
    private volatile LogFormat format = LogFormat.TEXT;

    /** How messages are written to standard error. */
    public enum LogFormat {
        /** Lines for people. */
        TEXT,
        /** An object a line, for programs. */
        JSON
    }

    /**
     * Of two streams.
     *
     * @param terminal whether a person looks at {@code err} on a terminal
     * @param resultTerminal whether a person looks at {@code out} on a terminal
     */
    public Console(PrintStream out, PrintStream err, boolean terminal, boolean resultTerminal) {
        this.out = out;
        this.err = err;
        this.terminal = terminal;
        this.resultTerminal = resultTerminal;
    }

    /** Takes over the process's streams; to be called once, before Ray's classes are loaded. */
    public static Console takeOver() {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        PrintStream err = realStandardError();
        System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        return new Console(
                out, err, Boolean.getBoolean("sglangray.terminal"), Boolean.getBoolean("sglangray.resultterminal"));
    }

    private static PrintStream realStandardError() {
        String descriptor = System.getProperty("sglangray.stderr", "");
        if (!descriptor.isEmpty()) {
            try {
                return new PrintStream(
                        new FileOutputStream("/proc/self/fd/" + descriptor, true), true, StandardCharsets.UTF_8);
            } catch (FileNotFoundException e) {
                // Standard error is a socket, which cannot be opened again by name.
                return System.err;
            }
        }
        return System.err;
    }

    /** From here on, no line of either stream shows these texts; short ones are left out, which stand in others by chance. */
    public void hide(List<String> texts) {
        secrets = Stream.concat(secrets.stream(), texts.stream().filter(text -> text.length() >= SHORTEST_SECRET))
                .distinct()
                .sorted(Comparator.comparingInt(String::length).reversed())
                .toList();
    }

    private String shown(String line) {
        String shown = line;
        for (String secret : secrets) {
            shown = shown.replace(secret, Secrets.HIDDEN);
        }
        return visible(shown);
    }

    /** From here on, messages are written so. */
    public void logAs(LogFormat messages) {
        format = messages;
    }

    /** Whether messages are for programs. */
    boolean isJson() {
        return format == LogFormat.JSON;
    }

    /** Whether a person looks at standard error on a terminal. */
    boolean isTerminal() {
        return terminal && !isJson();
    }

    /** The results' stream, for picocli. */
    public PrintWriter resultWriter() {
        return new PrintWriter(out, true, StandardCharsets.UTF_8);
    }

    /** The messages' stream, for picocli. */
    public PrintWriter messageWriter() {
        return new PrintWriter(err, true, StandardCharsets.UTF_8);
    }

    /** A line of the result. */
    public void result(String line) {
        out.println(shown(line));
        out.flush();
    }

    /** Whether the results can still be written: their reader may have ended. */
    public boolean isRead() {
        return !out.checkError();
    }

    /**
     * A result that takes the place of the one that was shown in this way before. Elsewhere than on a terminal it is a further block,
     * with an empty line after it. The first line is the time.
     */
    public synchronized void repaint(Instant time, List<String> lines) {
        String moment = time.truncatedTo(ChronoUnit.SECONDS).toString();
        String end = resultTerminal ? CLEAR_TO_END_OF_LINE + "\n" : "\n";
        StringBuilder text = new StringBuilder(resultTerminal ? (repainted ? HOME : CLEAR + HOME) : "");
        Stream.concat(Stream.of(moment), lines.stream().flatMap(String::lines))
                .forEach(line -> text.append(shown(line)).append(end));
        out.print(text.append(resultTerminal ? CLEAR_BELOW : "\n"));
        out.flush();
        repainted = true;
    }

    /** Takes a long result piece by piece, and prints it line by line. Not for use by several threads. */
    public Writer resultLines() {
        return new Writer() {
            private final StringBuilder line = new StringBuilder();

            @Override
            public void write(char[] characters, int from, int length) {
                line.append(characters, from, length);
                int end = line.lastIndexOf("\n");
                if (end >= 0) {
                    result(line.substring(0, end));
                    line.delete(0, end + 1);
                }
            }

            @Override
            public void flush() {
                out.flush();
            }

            @Override
            public void close() {
                if (!line.isEmpty()) {
                    result(line.toString());
                    line.setLength(0);
                }
            }
        };
    }

    /** A message. */
    public void say(String line) {
        say("INFO", line, line, Map.of());
    }

    /** What went wrong, after the program's name. */
    public void fail(String message) {
        say("ERROR", message, "sglang-ray: " + message, Map.of());
    }

    /** What went wrong, in words that begin with a place. */
    public void problem(String message) {
        say("ERROR", message, message, Map.of());
    }

    /**
     * A message.
     *
     * @param level {@code INFO}, {@code WARN} or {@code ERROR}
     * @param message the words for programs
     * @param line the words for people
     * @param more further fields for programs; texts, numbers and truth values
     */
    void say(String level, String message, String line, Map<String, ?> more) {
        String written = isJson() ? record(level, message, more) : shown(line);
        synchronized (err) {
            err.println(written);
            err.flush();
        }
    }

    private String record(String level, String message, Map<String, ?> more) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("time", Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
        fields.put("level", level);
        fields.put("message", shown(message));
        more.forEach((key, value) -> fields.put(key, value instanceof String text ? shown(text) : value));
        try {
            return new ObjectMapper().writeValueAsString(fields);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a message is not JSON", e);
        }
    }

    /**
     * The text with control characters, other than line ends and tabs, written as JSON writes them: values and logs of others may hold
     * sequences that a terminal would act on.
     */
    public static String visible(String text) {
        if (text.chars().noneMatch(Console::isHarmful)) {
            return text;
        }
        StringBuilder visible = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char character = text.charAt(i);
            if (isHarmful(character)) {
                visible.append("\\u").append(HexFormat.of().toHexDigits(character));
            } else {
                visible.append(character);
            }
        }
        return visible.toString();
    }

    private static boolean isHarmful(int character) {
        return Character.isISOControl(character) && character != '\n' && character != '\t';
    }

    /**
     * Text for people without an end of line, for a display that is drawn over. It is written as it is: what comes from others in it
     * is to be made {@link #visible} before.
     */
    void draw(String text) {
        synchronized (err) {
            err.print(text);
            err.flush();
        }
    }
}
