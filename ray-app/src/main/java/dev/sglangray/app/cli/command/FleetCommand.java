/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.CliSession;
import dev.sglangray.app.cli.context.ClusterOptions;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.GroupNameOptions;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.session.RaySession;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** A command about a fleet that runs: it joins the cluster, and its options name the fleet. */
abstract class FleetCommand implements Callable<Integer> {
    final CliContext context;
    private final boolean silent;

    @Mixin
    ClusterOptions cluster = new ClusterOptions();

    @Mixin
    GroupNameOptions groups = new GroupNameOptions();

    /**
     * One command line.
     *
     * @param silent whether it shows no progress
     */
    FleetCommand(CliContext context, boolean silent) {
        this.context = context;
        this.silent = silent;
    }

    /** What the command does once it has joined the cluster. */
    abstract void run(RaySession session, ProgressDisplay progress) throws InterruptedException;

    @Override
    public Integer call() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), silent);
                CliSession cli = CliSession.begin(context, cluster)) {
            run(cli.connect(progress), progress);
        }
        return ExitCode.OK;
    }
}
