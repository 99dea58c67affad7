/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.keeper.FleetKeepers;
import dev.sglangray.app.keeper.FleetRemains;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sglang-ray down}: ends a fleet. */
@Command(
        name = "down",
        mixinStandardHelpOptions = true,
        description = {
            "End a running fleet: its router, its engines, their actors and its placement group.",
            "Exits with 1 when there is no such fleet. A `sglang-ray up` in the foreground that owns it ends too.",
            ""
        })
final class DownCommand implements Callable<Integer> {
    private final CliContext context;

    @Mixin
    private ClusterOptions cluster = new ClusterOptions();

    @Mixin
    private GroupNameOptions groups = new GroupNameOptions();

    @Option(
            names = {"--force"},
            description = {
                "Also end what does not answer: kill every actor with the groups' names at once,",
                "and remove the fleet's placement group. For what is left of a fleet that half died."
            })
    private boolean force;

    DownCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), true);
                CliSession cli = CliSession.begin(context, cluster)) {
            RaySession session = cli.connect(progress);
            if (force) {
                return force(session);
            }
            boolean keptEngines = FleetKeepers.close(groups.group());
            boolean kept = FleetKeepers.close(groups.routerGroup()) || keptEngines;
            Optional<RouterGroup> router = RouterGroup.find(groups.routerGroup());
            Optional<ServerGroup> servers = ServerGroup.find(groups.group());
            router.ifPresent(RouterGroup::destroy);
            servers.ifPresent(ServerGroup::destroy);
            if (!kept && router.isEmpty() && servers.isEmpty()) {
                throw groups.nobody(session);
            }
            context.console().say("the fleet is ended");
        }
        return ExitCode.OK;
    }

    private int force(RaySession session) {
        List<String> ended = FleetRemains.end(groups.group(), groups.routerGroup());
        if (ended.isEmpty()) {
            throw groups.nobody(session);
        }
        ended.forEach(what -> context.console().say("ended " + what));
        return ExitCode.OK;
    }
}
