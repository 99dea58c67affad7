/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sglang-ray config}: what a configuration comes to. */
@Command(
        name = "config",
        mixinStandardHelpOptions = true,
        header = "Look at a configuration.",
        synopsisSubcommandLabel = "COMMAND",
        description = {"Look at a configuration. Needs no cluster and starts nothing.", ""},
        subcommands = {ConfigShowCommand.class, ConfigSchemaCommand.class})
public final class ConfigCommand implements Runnable {
    @Spec
    private @Nullable CommandSpec spec;

    @Override
    public void run() {
        CommandLine line = java.util.Objects.requireNonNull(spec).commandLine();
        throw new ParameterException(line, "say what of the configuration: show or schema");
    }
}
