/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.CliSession;
import dev.sglangray.app.cli.context.ClusterOptions;
import dev.sglangray.app.cli.context.ExitCode;
import dev.sglangray.app.cli.context.GroupNameOptions;
import dev.sglangray.app.cli.show.AttachedFleet;
import dev.sglangray.app.cli.show.FleetLostException;
import dev.sglangray.app.cli.show.NoFleetException;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.cli.show.Repeat;
import dev.sglangray.app.session.RaySession;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;

/** A command about a fleet that runs: it joins the cluster, and its options name the fleet. */
abstract class FleetCommand implements Callable<Integer> {
    /** A worker that moves has no actor for a moment. */
    private static final Duration GONE = Duration.ofSeconds(10);

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

    /** What a command does with the fleet again and again. */
    @FunctionalInterface
    interface Look {
        void at(AttachedFleet fleet) throws InterruptedException;
    }

    /**
     * Looks at the fleet again and again, until Ctrl-C or until nobody reads the results any more. Each time it is looked up, since
     * it may have other engines by then.
     *
     * @throws NoFleetException when there is none at first
     * @throws FleetLostException when there is none any more
     */
    final void follow(RaySession session, Duration pause, Look look) {
        AtomicReference<@Nullable AttachedFleet> next = new AtomicReference<>(groups.require(session));
        AtomicLong seen = new AtomicLong(System.nanoTime());
        Repeat.untilInterrupted(pause, () -> {
            AttachedFleet known = next.getAndSet(null);
            AttachedFleet fleet = known == null ? groups.find(session) : known;
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            if (fleet.servers().isPresent() || fleet.router().isPresent()) {
                seen.set(System.nanoTime());
                look.at(fleet);
            } else if (System.nanoTime() - seen.get() > GONE.toNanos()) {
                throw new FleetLostException("the fleet of the group '" + groups.group() + "' is gone");
            }
            return context.console().isRead();
        });
    }

    /** Says what concerns the command's work, not its result. */
    final void say(String words) {
        context.console().say("sglang-ray: " + words);
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), silent);
                CliSession cli = CliSession.begin(context, cluster)) {
            run(cli.connect(progress), progress);
        }
        return ExitCode.OK;
    }
}
