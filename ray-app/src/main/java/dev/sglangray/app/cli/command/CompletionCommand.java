/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.UsageException;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sglang-ray completion}: a script for the user's shell. */
@Command(
        name = "completion",
        mixinStandardHelpOptions = true,
        header = "Print a script that lets a shell complete commands and options.",
        description = {"Print a script with which bash or zsh completes commands and options of sglang-ray.", ""},
        footerHeading = "%nExamples:%n",
        footer = {
            "  source <(sglang-ray completion bash)                        for this shell",
            "  sglang-ray completion bash > ~/.local/share/bash-completion/completions/sglang-ray",
            "  source <(sglang-ray completion zsh)                         in ~/.zshrc, after compinit"
        })
public final class CompletionCommand implements Callable<Integer> {
    private final CliContext context;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Parameters(paramLabel = "SHELL", description = "'bash' or 'zsh'.")
    private String shell = "";

    CompletionCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        if (!shell.equals("bash") && !shell.equals("zsh")) {
            throw new UsageException("SHELL: '" + shell + "' is not 'bash' or 'zsh'");
        }
        // One script is for both.
        AutoComplete.bash("sglang-ray", spec.root().commandLine()).lines().forEach(context.console()::result);
        return ExitCode.OK;
    }
}
