/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.ExitCode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code sglang-ray home}: where the distribution lies. */
@Command(
        name = "home",
        mixinStandardHelpOptions = true,
        header = "Print the folder with the jar and the start script.",
        description = {
            "Print the folder with the jar, the start script and the example configurations.",
            "",
            "As the working directory of a Ray job it brings sglang-ray to every node.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  cp -r \"$(sglang-ray home)\" job && cp serve.yaml job/conf/",
            "  ray job submit --address http://HOST:8265 --working-dir job -- bash sglang-ray up -c conf/serve.yaml"
        })
public final class HomeCommand implements Callable<Integer> {
    private final CliContext context;

    HomeCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() {
        context.console().result(String.valueOf(context.launcher().requireJar().getParent()));
        return ExitCode.OK;
    }
}
