/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.show.Console;
import dev.sglangray.app.cli.show.FleetReport;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.session.RaySession;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;
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

    @Option(
            names = {"--watch"},
            paramLabel = "SECONDS",
            arity = "0..1",
            fallbackValue = "2",
            converter = OptionValues.Seconds.class,
            description = {
                "Show it again and again, with so many seconds in between, until Ctrl-C; ${FALLBACK-VALUE} without a number.",
                "On a terminal it is painted over, elsewhere it is a block for each time; with --json one line."
            })
    private @Nullable Duration watch;

    StatusCommand(CliContext context) {
        super(context, true);
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) {
        Console console = context.console();
        if (watch == null) {
            groups.require(session).report().print(console, json, Map.of());
            return;
        }
        follow(session, watch, fleet -> {
            FleetReport report = fleet.report();
            if (json) {
                report.print(console, true, Map.of());
            } else {
                console.repaint(Instant.now(), report.lines());
            }
        });
    }
}
