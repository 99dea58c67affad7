/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.Fleet;
import dev.sglangray.app.FleetSpec;
import dev.sglangray.app.LaunchContext;
import dev.sglangray.app.LaunchOptions;
import dev.sglangray.app.LaunchPhase;
import dev.sglangray.app.SGLangLauncher;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.CliSession;
import dev.sglangray.app.cli.context.ClusterOptions;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.UpOptions;
import dev.sglangray.app.cli.context.UsageException;
import dev.sglangray.app.cli.show.AttachedFleet;
import dev.sglangray.app.cli.show.FleetReport;
import dev.sglangray.app.cli.show.FleetWatch;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.detached.DetachedFleets;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.placement.cluster.Cluster;
import dev.sglangray.placement.ray.RayClusterReader;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sglang-ray up}: launches a fleet. */
@Command(
        name = "up",
        mixinStandardHelpOptions = true,
        header = "Launch a fleet and print its URL.",
        description = {
            "Launch engines and their router, and print the one URL to send requests to.",
            "",
            "Stays in the foreground until Ctrl-C, SIGTERM or the loss of the fleet, then ends all that it started.",
            "With --detach it returns once the fleet serves; `sglang-ray down` ends that one.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  sglang-ray up --local -c my.yaml",
            "  sglang-ray up --address 10.0.0.1:6379 --config-path conf --config-name serve rollout.server.tp_size=4",
            "  sglang-ray up --address 10.0.0.1:6379 -c my.yaml --detach"
        })
public final class UpCommand implements Callable<Integer> {
    private final CliContext context;

    @Mixin
    private UpOptions config = new UpOptions();

    @Mixin
    private ClusterOptions cluster = new ClusterOptions();

    @Option(
            names = {"--detach"},
            description = "Leave the fleet running in the cluster and return; a cluster of --local cannot be left.")
    private boolean detach;

    @Option(
            names = {"--json"},
            description = "Print the result as one line of JSON, and no progress.")
    private boolean json;

    UpCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (detach && cluster.local()) {
            throw new UsageException(
                    "--detach leaves a fleet in a cluster, but a cluster of --local ends with this command; "
                            + "start one with `ray start --head` and name it with --address");
        }
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), json)) {
            long begin = System.nanoTime();
            progress.started(LaunchPhase.COMPOSE, "reading the configuration");
            FleetSpec spec = config.read(context);
            LaunchOptions options = config.launchOptions(context.launcher());
            if (detach || cluster.local()) {
                // What no cluster could change is refused before a head is started or an owner made, which checks for
                // itself.
                spec.requireLaunchable(options);
            }
            progress.ended(LaunchPhase.COMPOSE, Duration.ofNanos(System.nanoTime() - begin));
            try (CliSession cli = CliSession.begin(context, cluster)) {
                RaySession session = cli.connect(progress);
                if (detach) {
                    return detached(spec, options, session, progress);
                }
                foreground(spec, options, session, progress);
            }
            progress.line("ended; nothing is left running.");
            return ExitCode.OK;
        }
    }

    private void foreground(FleetSpec spec, LaunchOptions options, RaySession session, ProgressDisplay progress)
            throws InterruptedException {
        Cluster nodes = spec.cluster(RayClusterReader.read());
        try (Fleet fleet = SGLangLauncher.launch(spec, nodes, options, LaunchContext.of(progress))) {
            FleetReport.of(session.namespace(), fleet).print(context.console(), json, progress.phases());
            progress.line("Ctrl-C ends the fleet.");
            new FleetWatch(fleet, progress).untilInterruptedOrLost();
            progress.line("ending the fleet ...");
        }
    }

    private int detached(FleetSpec spec, LaunchOptions options, RaySession session, ProgressDisplay progress) {
        // The owner plans for itself; what does not fit this cluster is refused before there is one.
        SGLangLauncher.plan(spec, spec.cluster(RayClusterReader.read()), options);
        DetachedFleets.launch(spec, session, options, progress);
        boolean told = false;
        try {
            report(spec, session, progress);
            told = true;
        } finally {
            if (!told) {
                DetachedFleets.close(spec.groupName());
            }
        }
        progress.line("The fleet runs without this command. To end it: sglang-ray down "
                + (spec.serverGroup().isPresent() ? "--group " : "--router-group ") + spec.groupName());
        return ExitCode.OK;
    }

    private void report(FleetSpec spec, RaySession session, ProgressDisplay progress) {
        ServerGroup servers = spec.serverGroup().map(ServerGroup::attach).orElse(null);
        RouterGroup router = spec.routerGroup().map(RouterGroup::attach).orElse(null);
        FleetReport.of(AttachedFleet.of(session.namespace(), servers, router))
                .print(context.console(), json, progress.phases());
    }
}
