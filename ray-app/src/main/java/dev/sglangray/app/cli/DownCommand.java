/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.app.keeper.FleetKeepers;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

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

    DownCommand(CliContext context) {
        this.context = context;
    }

    @Override
    public Integer call() throws InterruptedException {
        try (ProgressDisplay progress = new ProgressDisplay(context.console(), true);
                CliSession cli = CliSession.begin(context, cluster)) {
            RaySession session = cli.connect(progress);
            boolean keptEngines = FleetKeepers.close(groups.group());
            boolean kept = FleetKeepers.close(groups.routerGroup()) || keptEngines;
            Optional<RouterGroup> router = groups.router();
            Optional<ServerGroup> servers = groups.servers();
            router.ifPresent(RouterGroup::destroy);
            servers.ifPresent(ServerGroup::destroy);
            if (!kept && router.isEmpty() && servers.isEmpty()) {
                context.console().say("sglang-ray: " + groups.nobody(session.namespace()));
                return ExitCode.FAILED;
            }
            context.console().say("the fleet is ended");
        }
        return ExitCode.OK;
    }
}
