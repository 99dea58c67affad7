/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.show.AttachedFleet;
import dev.sglangray.app.cli.show.NoFleetException;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.dashboard.DashboardSettings;
import dev.sglangray.app.monitor.OwnerUrls;
import dev.sglangray.app.session.DriverNode;
import dev.sglangray.app.session.RaySession;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sglang-ray dashboard}: where a running fleet's page is. */
@Command(
        name = "dashboard",
        mixinStandardHelpOptions = true,
        header = "Print the address of a running fleet's page, or open it.",
        description = {
            "Print the address of the page that the fleet's owner serves, one line.",
            "Exits with 1 when there is no such fleet, or it has no page.",
            ""
        })
public final class DashboardCommand extends FleetCommand {
    @Option(
            names = {"--open"},
            description = "Open it in this machine's browser too.")
    private boolean open;

    DashboardCommand(CliContext context) {
        super(context, true);
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) {
        AttachedFleet fleet = groups.require(session);
        OwnerUrls urls = fleet.urls();
        String page = urls.dashboard();
        if (page == null) {
            throw new NoFleetException("the fleet '" + fleet.name().orElse("") + "' has no page: set "
                    + DashboardSettings.KEY
                    + ": {} in the launcher's block, such as +router_server_args.dashboard={}, and launch it again");
        }
        context.console().result(page);
        tunnel(page, urls.node(), DriverNode.address().orElse("")).ifPresent(this::say);
        if (open) {
            open(page);
        }
    }

    /** How to reach a page that listens at another node for programs of that node only. */
    static Optional<String> tunnel(String page, @Nullable String node, String here) {
        URI url = URI.create(page);
        try {
            if (node == null
                    || node.equals(here)
                    || !InetAddress.getByName(url.getHost()).isLoopbackAddress()) {
                return Optional.empty();
            }
        } catch (UnknownHostException e) {
            return Optional.empty();
        }
        return Optional.of("it listens on node %s for programs of that node only; from here: ssh -N -L %d:%s %s"
                .formatted(node, url.getPort(), url.getAuthority(), node));
    }

    private void open(String page) {
        String opener =
                System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("mac") ? "open" : "xdg-open";
        try {
            Process unused = new ProcessBuilder(opener, page)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            say("the browser cannot be opened: " + e.getMessage());
        }
    }
}
