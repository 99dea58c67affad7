/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.DeliberateEnd;
import dev.sglangray.app.LaunchException;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.CliSession;
import dev.sglangray.app.cli.context.ClusterOptions;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.GroupNameOptions;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.show.AttachedFleet;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.WorkerException;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sglang-ray restart}: new processes in place of the old ones. */
@Command(
        name = "restart",
        mixinStandardHelpOptions = true,
        header = "Replace the processes of a running fleet.",
        description = {
            "Replace the engines of a running fleet by new processes at the same URLs: all at once, which ends their",
            "requests, or with --rolling one after the other: the router sends an engine no new requests, its requests",
            "end, it is restarted, and the router sends to it again.",
            "Exits with 1 when there is no such fleet, or when an engine does not come back; the next are then left alone.",
            ""
        })
public final class RestartCommand implements Callable<Integer> {
    private static final String WHY = "asked for on the command line";
    private static final Duration ANSWER = Duration.ofSeconds(20);
    /** The worker lifts the drain at once; this is for the router to hear of it. */
    private static final Duration UNDRAIN = Duration.ofSeconds(20);

    private final CliContext context;

    @Mixin
    private ClusterOptions cluster = new ClusterOptions();

    @Mixin
    private GroupNameOptions groups = new GroupNameOptions();

    @Option(
            names = {"--rolling"},
            description = "One engine after the other, each without requests by then, so that none fails.")
    private boolean rolling;

    @Option(
            names = {"--with-router"},
            description = "The router too, at the end. Requests fail for the moment that it takes.")
    private boolean withRouter;

    @Option(
            names = {"--drain-timeout"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "300",
            description = "How long an engine's requests may take to end. Default: ${DEFAULT-VALUE}")
    private Duration toDrain = Duration.ofMinutes(5);

    @Option(
            names = {"--health-timeout"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "900",
            description = "How long an engine may take from its start to healthy. Default: ${DEFAULT-VALUE}")
    private Duration toServe = Duration.ofMinutes(15);

    RestartCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), false);
                CliSession cli = CliSession.begin(context, cluster)) {
            RaySession session = cli.connect(progress);
            restart(groups.require(session), progress);
        }
        return ExitCode.OK;
    }

    private void restart(AttachedFleet fleet, ProgressDisplay progress) {
        Optional<ServerGroup> servers = fleet.servers();
        Optional<RouterGroup> router = fleet.router();
        try {
            if (servers.isPresent() && !rolling) {
                var unused = servers.get().restart(WHY, toServe).await(toServe.plus(ANSWER));
                progress.line(servers.get().size() + " engine(s) serve again");
            } else if (servers.isPresent()) {
                oneByOne(servers.get(), router, progress);
            }
            if (withRouter && router.isPresent()) {
                String url = router.get()
                        .restart(WHY, toServe)
                        .await(toServe.plus(ANSWER))
                        .get(0);
                progress.line("the router serves again at " + url);
            }
        } catch (WorkerException e) {
            throw DeliberateEnd.explain(e);
        }
    }

    /** No other change of the fleet happens meanwhile, such as an update of its weights. */
    private void oneByOne(ServerGroup servers, Optional<RouterGroup> router, ProgressDisplay progress) {
        String token = FleetWeights.newId();
        Duration one = toDrain.plus(toServe).plus(UNDRAIN);
        try {
            for (int rank : lostFirst(servers)) {
                String refusal = router.map(group -> group.beginChange("a rolling restart", token, one)
                                .await(ANSWER)
                                .get(0))
                        .orElse("");
                if (!refusal.isEmpty()) {
                    throw new LaunchException(refusal);
                }
                restart(servers.on(rank), rank, progress);
            }
        } finally {
            router.ifPresent(group -> {
                var unused = group.endChange(token);
            });
        }
    }

    /** Those that are out of service first: meanwhile the others serve, and afterwards there is one more that does. */
    private static List<Integer> lostFirst(ServerGroup servers) {
        Map<Integer, WorkerStatus> answers = EachEngine.ask(servers, ServerGroup::status, ANSWER, silent -> {});
        Map<Boolean, List<Integer>> byService = servers.ranks().stream()
                .collect(Collectors.partitioningBy(rank ->
                        answers.containsKey(rank) && answers.get(rank).state().equals("READY")));
        return Stream.of(false, true)
                .flatMap(serves -> byService.getOrDefault(serves, List.of()).stream())
                .toList();
    }

    private void restart(ServerGroup engine, int rank, ProgressDisplay progress) {
        progress.line("engine " + rank + " gets no new requests ...");
        boolean done = false;
        try {
            int left = engine.drain(toDrain, toDrain.plus(toServe).plus(ANSWER))
                    .await(toDrain.plus(ANSWER))
                    .get(0);
            if (left > 0) {
                progress.line("engine " + rank + " still has " + left + " requests after " + toDrain.toSeconds()
                        + " s; they end");
            }
            String url =
                    engine.restart(WHY, toServe).await(toServe.plus(ANSWER)).get(0);
            progress.line("engine " + rank + " serves again at " + url);
            done = true;
        } finally {
            undrain(engine, rank, done, progress);
        }
    }

    /** Also when the drain failed or was interrupted: an engine that stays drained gets no requests ever again. */
    private static void undrain(ServerGroup engine, int rank, boolean restarted, ProgressDisplay progress) {
        boolean interrupted = Thread.interrupted();
        try {
            var unused = engine.undrain(UNDRAIN).await(UNDRAIN.plus(ANSWER));
        } catch (WorkerException e) {
            if (restarted) {
                throw e;
            }
            progress.line("engine " + rank + " gets requests as soon as it serves: " + e.getMessage());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
