/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.docs;

import dev.sglangray.app.cli.SglangRay;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.Launcher;
import dev.sglangray.app.cli.context.SignalHandlers;
import dev.sglangray.app.cli.show.Console;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.codegen.docgen.manpage.ManPageGenerator;

/** Writes the man pages of all commands, in AsciiDoc; the Maven profile {@code man} makes them what {@code man} reads. Stateless. */
public final class ManPages {
    private ManPages() {}

    /** Writes them into the folder that is named. */
    public static void main(String[] arguments) throws IOException {
        write(Path.of(arguments[0]));
    }

    static void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
        CliContext context = new CliContext(
                new Console(nowhere, nowhere, false, false),
                new SignalHandlers(Thread.currentThread()),
                new Launcher(null, null, null),
                Map.of());
        write(folder, SglangRay.commandLine(context).getCommandSpec());
    }

    private static void write(Path folder, CommandSpec command) throws IOException {
        String name = command.qualifiedName("-");
        try (PrintWriter page = new PrintWriter(Files.newBufferedWriter(folder.resolve(name + ".adoc")), true)) {
            ManPageGenerator.writeSingleManPage(page, command);
        }
        for (CommandLine sub : command.subcommands().values()) {
            if (!sub.getCommandSpec().name().equals("help")) {
                write(folder, sub.getCommandSpec());
            }
        }
    }
}
