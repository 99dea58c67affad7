/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import java.io.FileDescriptor;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/**
 * The two streams of the command line: results go to standard output, words for people to standard error. Safe for use
 * by several threads.
 *
 * <p>While Ray is in this process both names are taken by others: its logging prints to {@code System.out}, and its
 * native half to file descriptor 2. So {@code System.out} is silenced, and where the start script has put the real
 * standard error on another descriptor (and a filter on 2), messages go there.
 */
final class Console {
    private final PrintStream out;
    private final PrintStream err;
    private final boolean terminal;

    Console(PrintStream out, PrintStream err, boolean terminal) {
        this.out = out;
        this.err = err;
        this.terminal = terminal;
    }

    /** Takes over the process's streams; to be called once, before Ray's classes are loaded. */
    static Console takeOver() {
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        PrintStream err = realStandardError();
        System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8));
        return new Console(out, err, Boolean.getBoolean("sglangray.terminal"));
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

    /** Whether a person looks at standard error on a terminal. */
    boolean isTerminal() {
        return terminal;
    }

    /** The results' stream, for picocli. */
    PrintWriter resultWriter() {
        return new PrintWriter(out, true, StandardCharsets.UTF_8);
    }

    /** The messages' stream, for picocli. */
    PrintWriter messageWriter() {
        return new PrintWriter(err, true, StandardCharsets.UTF_8);
    }

    /** A line of the result. */
    void result(String line) {
        out.println(line);
        out.flush();
    }

    /** A line for people. */
    void say(String line) {
        synchronized (err) {
            err.println(line);
            err.flush();
        }
    }

    /** Text for people without an end of line, for a display that is drawn over. */
    void draw(String text) {
        synchronized (err) {
            err.print(text);
            err.flush();
        }
    }
}
