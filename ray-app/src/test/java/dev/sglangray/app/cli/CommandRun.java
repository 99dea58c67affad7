/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.Launcher;
import dev.sglangray.app.cli.context.SignalHandlers;
import dev.sglangray.app.cli.show.Console;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * One run of the command line inside this JVM.
 *
 * @param code the exit code
 * @param out standard output
 * @param err standard error
 */
public record CommandRun(int code, String out, String err) {
    /** Runs without a Python at hand, with this JVM's variables. */
    public static CommandRun of(String... words) {
        return of(System.getenv(), words);
    }

    /** Runs without a Python at hand. */
    public static CommandRun of(Map<String, String> environment, String... words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(stream(out), stream(err), false, false);
        SignalHandlers interrupts = new SignalHandlers(Thread.currentThread());
        int code =
                SglangRay.run(new CliContext(console, interrupts, new Launcher(null, null, null), environment), words);
        return new CommandRun(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private static PrintStream stream(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }
}
