/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.show.EventStream;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.cli.show.Questions;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.supervision.Event;
import java.time.Duration;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sglang-ray events}: what happened to a fleet. */
@Command(
        name = "events",
        mixinStandardHelpOptions = true,
        header = "Show what happened to a running fleet.",
        description = {
            "Show what happened to a running fleet since it was launched: deaths, restarts, failed probes, the",
            "router's list; the last 500 events of each worker, by time. With --follow it goes on until Ctrl-C.",
            "Exits with 1 when there is no such fleet.",
            ""
        })
public final class EventsCommand extends FleetCommand {
    private static final Duration PAUSE = Duration.ofSeconds(1);

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with new events as they come, until Ctrl-C.")
    private boolean follow;

    @Option(
            names = {"--json"},
            description = "Print each event as one line of JSON.")
    private boolean json;

    EventsCommand(CliContext context) {
        super(context, true);
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) throws InterruptedException {
        if (!follow) {
            new EventStream(Questions.once(this::say))
                    .next(groups.require(session))
                    .forEach(this::print);
            return;
        }
        EventStream events = new EventStream(Questions.repeated(this::say));
        follow(session, PAUSE, fleet -> events.next(fleet).forEach(this::print));
    }

    private void print(Event event) {
        context.console()
                .result(
                        json
                                ? json(event)
                                : String.format(
                                        "%s  %-20s  %-16s  %s",
                                        event.time(),
                                        event.worker(),
                                        event.kind()
                                                .name()
                                                .toLowerCase(Locale.ROOT)
                                                .replace('_', '-'),
                                        event.text().replace("\n", "\n    ")));
    }

    private static String json(Event event) {
        try {
            return new ObjectMapper().writeValueAsString(event);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an event is not written as JSON", e);
        }
    }
}
