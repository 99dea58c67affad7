/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.session.RaySession;
import java.util.Map;
import picocli.CommandLine.Command;
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
public final class StatusCommand extends FleetCommand {
    @Option(
            names = {"--json"},
            description = "Print one line of JSON, and no progress.")
    private boolean json;

    StatusCommand(CliContext context) {
        super(context, true);
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) {
        groups.require(session).report().print(context.console(), json, Map.of());
    }
}
