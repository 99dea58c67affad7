/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.context.UsageException;
import dev.sglangray.app.cli.show.AttachedFleet;
import dev.sglangray.app.cli.show.LogStream;
import dev.sglangray.app.cli.show.NoFleetException;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.cli.show.Questions;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sglang-ray logs}: what engines and router write. */
@Command(
        name = "logs",
        mixinStandardHelpOptions = true,
        header = "Show the logs of a running fleet.",
        description = {
            "Show the last lines of the logs of engines and router, from whatever node. Secrets are left out.",
            "With --follow it goes on with what they write, until Ctrl-C; a new process has a new log, whose name comes first.",
            "Exits with 1 when there is no such fleet, or no worker answers.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  sglang-ray logs                 the router's and every engine's last lines",
            "  sglang-ray logs 0 -f            what engine 0 writes",
            "  sglang-ray logs 3/1 --lines 100 part 1 of engine 3, which spans nodes"
        })
public final class LogsCommand extends FleetCommand {
    private static final Duration PAUSE = Duration.ofSeconds(1);

    @Parameters(
            paramLabel = "WORKER",
            arity = "0..1",
            converter = OptionValues.Worker.class,
            description = "'router', an engine's rank, or RANK/PART for one part of an engine over several nodes. "
                    + "Default: all")
    private OptionValues.@Nullable WorkerChoice worker;

    @Option(
            names = {"-f", "--follow"},
            description = "Go on with new lines as they come, until Ctrl-C.")
    private boolean follow;

    @Option(
            names = {"--lines"},
            paramLabel = "N",
            converter = OptionValues.NotNegative.class,
            defaultValue = "20",
            description = "How many of each log's last lines. Default: ${DEFAULT-VALUE}")
    private int lines = 20;

    LogsCommand(CliContext context) {
        super(context, true);
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) throws InterruptedException {
        if (!follow) {
            AttachedFleet fleet = groups.require(session);
            requireKnown(fleet);
            if (!new LogStream(Questions.once(this::say), context.console()::result).tails(sources(fleet))) {
                throw new NoFleetException("no worker gives its log");
            }
            return;
        }
        requireKnown(groups.require(session));
        LogStream logs = new LogStream(Questions.repeated(this::say), context.console()::result);
        follow(session, PAUSE, fleet -> logs.next(sources(fleet)));
    }

    /** The log of a worker that does not exist never comes. */
    private void requireKnown(AttachedFleet fleet) {
        if (worker == null) {
            return;
        }
        if (worker.isRouter()) {
            if (fleet.routerName().isEmpty()) {
                throw new UsageException("WORKER: the fleet has no router");
            }
            return;
        }
        ServerGroup servers = fleet.serversOrNull();
        List<Integer> ranks = servers == null ? List.of() : servers.ranks();
        boolean gone = servers != null && servers.gone().contains(worker.rank());
        if (!gone && !ranks.contains(worker.rank())) {
            throw new UsageException("WORKER: the fleet has no engine " + worker.rank() + "; it has " + ranks);
        }
        Integer part = worker.part();
        if (servers != null && !gone && part != null && part > servers.furtherParts(worker.rank())) {
            throw new UsageException("WORKER: engine " + worker.rank() + " has no part " + part + "; it has 0 to "
                    + servers.furtherParts(worker.rank()));
        }
    }

    private Map<String, LogStream.Source> sources(AttachedFleet fleet) {
        Map<String, LogStream.Source> sources = new LinkedHashMap<>();
        if (worker == null || worker.isRouter()) {
            fleet.router()
                    .ifPresent(router -> sources.put(
                            "router",
                            from -> router.logPiece(from, lines)
                                    .toCompletableFuture()
                                    .thenApply(pieces -> pieces.get(0))));
        }
        if (worker == null || !worker.isRouter()) {
            fleet.servers()
                    .ifPresent(servers -> servers.ranks().stream()
                            .filter(rank -> worker == null || worker.rank() == rank)
                            .forEach(rank -> addParts(servers, rank, sources)));
        }
        return sources;
    }

    private void addParts(ServerGroup servers, int rank, Map<String, LogStream.Source> sources) {
        int further = servers.furtherParts(rank);
        IntStream.rangeClosed(0, further)
                .filter(part -> worker == null || worker.part() == null || worker.part() == part)
                .forEach(part -> sources.put(
                        "engine " + rank + (further == 0 ? "" : "/" + part),
                        from -> (part == 0
                                        ? servers.on(rank).logPiece(from, lines)
                                        : servers.logPieceOfPart(rank, part, from, lines))
                                .toCompletableFuture()
                                .thenApply(pieces -> pieces.get(0))));
    }
}
