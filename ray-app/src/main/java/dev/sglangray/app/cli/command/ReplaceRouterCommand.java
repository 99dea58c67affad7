/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import dev.sglangray.app.ArgumentSchemas;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.show.NoFleetException;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.bridge.SchemaKind;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.workers.RouterGroup;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sglang-ray replace-router}: other arguments for the router of a fleet that serves. */
@Command(
        name = "replace-router",
        mixinStandardHelpOptions = true,
        header = "Change the arguments of a running router.",
        description = {
            "Replace the router of a running fleet by one with other arguments, at the same URL and with the same engines.",
            "The new arguments are compared with those that the router has, and a router with them is started beside the",
            "one that serves; only when that works is the old one ended. Requests fail for the moment between the two.",
            "Should the new router not come up all the same, the old arguments are put back.",
            "Changes hold through all later restarts of the router, until the fleet ends.",
            "Exits with 1 when there is no such fleet, or when the router has its old arguments again.",
            ""
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  sglang-ray replace-router policy=round_robin",
            "  sglang-ray replace-router policy=cache_aware cache_threshold=0.6 ~balance_abs_threshold"
        })
public final class ReplaceRouterCommand extends FleetCommand {
    private static final Duration ANSWER = Duration.ofSeconds(20);

    @Option(
            names = {"--timeout"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "300",
            description = "How long all of it may take. Default: ${DEFAULT-VALUE}")
    private Duration timeout = Duration.ofMinutes(5);

    @Parameters(
            paramLabel = "ARGUMENT",
            arity = "1..*",
            description = {
                "The router's arguments, as under router: in a configuration: key=value, or ~key for the router's own",
                "default. Host, port and keys cannot change."
            })
    private List<String> lines = List.of();

    /** What the lines come to, by the argument's name. */
    private Map<String, Object> changes = Map.of();

    ReplaceRouterCommand(CliContext context) {
        super(context, false);
    }

    @Override
    public Integer call() throws InterruptedException {
        changes = read();
        return super.call();
    }

    /** What either router takes: which one runs only its worker knows, and that one compares with its own arguments. */
    private Map<String, Object> read() {
        String python = context.launcher().python().orElse(null);
        try {
            return RouterChanges.read(lines, ArgumentSchemas.find(SchemaKind.ROUTER, python));
        } catch (ConfigException e) {
            try {
                return RouterChanges.read(lines, ArgumentSchemas.find(SchemaKind.SMG, python));
            } catch (ConfigException ofSmg) {
                e.addSuppressed(ofSmg);
                throw e;
            }
        }
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) {
        RouterGroup router = groups.require(session)
                .router()
                .orElseThrow(() -> new NoFleetException("the fleet has no router that lives"));
        progress.line("the router is replaced ...");
        String url =
                router.replace(changes, timeout).await(timeout.plus(ANSWER)).get(0);
        progress.line("the router serves at " + url + " with " + String.join(" ", lines));
    }
}
