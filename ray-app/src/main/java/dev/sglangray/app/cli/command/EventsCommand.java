/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.show.AttachedFleet;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.WorkerInterruptedException;
import dev.sglangray.workers.supervision.Event;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
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
            "router's list; the last 500 events of each worker, by time.",
            "Exits with 1 when there is no such fleet.",
            ""
        })
public final class EventsCommand extends FleetCommand {
    private static final Duration ANSWER = Duration.ofSeconds(20);

    @Option(
            names = {"--json"},
            description = "Print each event as one line of JSON.")
    private boolean json;

    EventsCommand(CliContext context) {
        super(context, true);
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) {
        AttachedFleet fleet = groups.require(session);
        List<Event> events = new ArrayList<>();
        fleet.router().ifPresent(router -> collect(router, events));
        fleet.servers()
                .ifPresent(servers -> EachEngine.ask(servers, engine -> engine.events(0), ANSWER, this::silent)
                        .values()
                        .forEach(events::addAll));
        events.sort(Comparator.comparing(Event::time).thenComparing(Event::number));
        for (Event event : events) {
            print(event);
        }
    }

    private void collect(RouterGroup router, List<Event> events) {
        try {
            router.events(0).await(ANSWER).forEach(events::addAll);
        } catch (WorkerInterruptedException e) {
            throw e;
        } catch (WorkerException e) {
            silent(e);
        }
    }

    private void silent(WorkerException failure) {
        context.console().say("sglang-ray: " + failure.getMessage());
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
