/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.show.FleetLoads;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.cli.show.Questions;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.protocol.EngineLoad;
import java.time.Duration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sglang-ray top}: what the engines have to do. */
@Command(
        name = "top",
        mixinStandardHelpOptions = true,
        header = "Show how busy the engines of a running fleet are.",
        description = {
            "Show a table of engines, again and again until Ctrl-C: requests that run and wait, tokens generated in a second, use of",
            "the KV cache, version of the weights, restarts. What an engine does not tell is a dash.",
            "Exits with 1 when there is no such fleet.",
            ""
        })
public final class TopCommand extends FleetCommand {
    @Option(
            names = {"--interval"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "2",
            description = "How long between two looks. Default: ${DEFAULT-VALUE}")
    private Duration interval = Duration.ofSeconds(2);

    @Option(
            names = {"--json"},
            description = "Print one sample as one line of JSON, and end.")
    private boolean json;

    TopCommand(CliContext context) {
        super(context, true);
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) throws InterruptedException {
        if (json) {
            context.console()
                    .result(FleetLoads.of(groups.require(session), Questions.once(this::say))
                            .json());
            return;
        }
        Questions<EngineLoad> questions = Questions.repeated(silent -> {});
        follow(session, interval, fleet -> {
            FleetLoads loads = FleetLoads.of(fleet, questions);
            context.console().repaint(loads.time(), loads.lines());
        });
    }
}
