/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.CliSession;
import dev.sglangray.app.cli.context.ClusterOptions;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.GroupNameOptions;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.session.RaySession;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sglang-ray status}: what a running fleet says of itself. */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        header = "Show a running fleet.",
        description = {
            "Show a running fleet: every worker's state, URL, node, accelerators and log.",
            "Exits with 1 when there is no such fleet.",
            ""
        })
public final class StatusCommand implements Callable<Integer> {
    private final CliContext context;

    @Mixin
    private ClusterOptions cluster = new ClusterOptions();

    @Mixin
    private GroupNameOptions groups = new GroupNameOptions();

    @Option(
            names = {"--json"},
            description = "Print one line of JSON, and no progress.")
    private boolean json;

    StatusCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), true);
                CliSession cli = CliSession.begin(context, cluster)) {
            RaySession session = cli.connect(progress);
            groups.require(session).report().print(context.console(), json, Map.of());
        }
        return ExitCode.OK;
    }
}
