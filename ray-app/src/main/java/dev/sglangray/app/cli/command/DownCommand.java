/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.LaunchException;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.show.AttachedFleet;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.detached.ActorProcesses;
import dev.sglangray.app.detached.DetachedFleets;
import dev.sglangray.app.detached.FleetLeftovers;
import dev.sglangray.app.detached.FleetTraces;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sglang-ray down}: ends a fleet. */
@Command(
        name = "down",
        mixinStandardHelpOptions = true,
        header = "End a running fleet.",
        description = {
            "End a running fleet: its router, its engines, their actors and its placement group.",
            "Exits with 1 when there is no such fleet. A `sglang-ray up` in the foreground that owns it ends too.",
            ""
        })
public final class DownCommand extends FleetCommand {
    /** Ray takes a moment to end processes and to remove placement groups. */
    private static final Duration GONE = Duration.ofSeconds(20);

    /** A process that takes its end from Ray is gone within this time. */
    private static final Duration PROCESS_GONE = Duration.ofSeconds(5);

    @Option(
            names = {"--force"},
            description = {
                "Also end what does not answer: kill every actor with the groups' names at once,",
                "and remove the fleet's placement group. For what is left of a fleet that half died."
            })
    private boolean force;

    DownCommand(CliContext context) {
        super(context, true);
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) throws InterruptedException {
        // Before the owner ends: afterwards no worker is left that knows the fleet's router.
        AttachedFleet fleet = groups.find(session);
        Optional<String> router = fleet.routerName();
        ActorProcesses processes = FleetLeftovers.processes(fleet.groupName(), router);
        if (force) {
            List<String> ended = FleetLeftovers.end(fleet.groupName(), router);
            if (ended.isEmpty()) {
                throw groups.noFleet(session);
            }
            ended.forEach(what -> context.console().say("ended " + what));
        } else {
            end(fleet, router, session);
        }
        List<String> listed = FleetLeftovers.awaitGone(fleet.groupName(), router, GONE);
        // A stopped process takes no order, and some Rays list its actor no more; its own actors may then live on.
        List<String> killed = processes.killLeft(PROCESS_GONE);
        killed.forEach(what -> context.console().say("killed " + what + ", which Ray had not ended"));
        if (!listed.isEmpty() && !killed.isEmpty()) {
            listed = FleetLeftovers.awaitGone(fleet.groupName(), router, GONE);
        }
        List<String> left = new ArrayList<>();
        listed.forEach(what -> left.add(what + " (by Ray's list)"));
        left.addAll(processes.left());
        if (!left.isEmpty()) {
            throw new LaunchException("the fleet is not ended; there is still " + String.join(", ", left)
                    + (force ? "" : "; `sglang-ray down --force` ends it without asking it"));
        }
        if (!force) {
            context.console().say("the fleet is ended");
        }
    }

    private void end(AttachedFleet fleet, Optional<String> router, RaySession session) {
        FleetTraces traces = FleetLeftovers.read();
        List<String> names =
                Stream.of(fleet.groupName(), router).flatMap(Optional::stream).toList();
        boolean owned = names.stream().anyMatch(traces::hasOwner);
        boolean kept = false;
        for (String name : names) {
            kept |= DetachedFleets.close(name);
        }
        fleet.router().ifPresent(RouterGroup::destroy);
        fleet.servers().ifPresent(ServerGroup::destroy);
        if (!kept && fleet.router().isEmpty() && fleet.servers().isEmpty()) {
            throw groups.noFleet(session);
        }
        if (!owned) {
            // Its owner was killed for good, or the owner's node is gone: nothing else removes its placement groups.
            List<String> unused = FleetLeftovers.end(fleet.groupName(), router);
        }
    }
}
