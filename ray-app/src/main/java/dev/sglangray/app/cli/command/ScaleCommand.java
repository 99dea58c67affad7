/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.command;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.app.LaunchException;
import dev.sglangray.app.cli.context.CliContext;
import dev.sglangray.app.cli.context.OptionValues;
import dev.sglangray.app.cli.context.UsageException;
import dev.sglangray.app.cli.show.NoFleetException;
import dev.sglangray.app.cli.show.ProgressDisplay;
import dev.sglangray.app.gateway.GatewayCall;
import dev.sglangray.app.gateway.GatewayException;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.ServerGroup;
import dev.sglangray.workers.protocol.WorkerStatus;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sglang-ray scale}: more or fewer engines for a running fleet. */
@Command(
        name = "scale",
        mixinStandardHelpOptions = true,
        header = "Give a running fleet more engines, or fewer.",
        description = {
            "Give a running fleet more engines, or fewer. Further engines are like those that there are, on accelerators of",
            "the same node groups that are free; the router sends to them once they serve. Engines that go are those of the",
            "highest ranks: they get no new requests, end those that they have, and are ended.",
            "Exits with 1 when there is no such fleet, no room, or an engine does not start; the fleet is then as it was.",
            ""
        })
public final class ScaleCommand extends FleetCommand {
    private static final Duration LOOK = Duration.ofSeconds(1);
    private static final Duration ANSWER = Duration.ofSeconds(5);

    @ArgGroup(multiplicity = "1")
    private Size size = new Size();

    @Option(
            names = {"--drain-timeout"},
            paramLabel = "SECONDS",
            converter = OptionValues.Seconds.class,
            defaultValue = "300",
            description = "How long requests of engines that go may take to end. Default: ${DEFAULT-VALUE}")
    private Duration toDrain = Duration.ofMinutes(5);

    @Option(
            names = {"--pool"},
            paramLabel = "NAME",
            converter = OptionValues.Name.class,
            description = "The pool whose engines are to be more or fewer. Needed where the fleet has several.")
    private @Nullable String pool;

    /** How many engines, one way or the other. */
    static final class Size {
        @Option(
                names = {"--engines"},
                paramLabel = "N",
                converter = OptionValues.Positive.class,
                description = "How many engines the fleet is to have, 1 or more.")
        private @Nullable Integer engines;

        @Option(
                names = {"--by"},
                paramLabel = "N",
                converter = OptionValues.Whole.class,
                description = "How many engines more, or with a minus fewer, the fleet is to have.")
        private @Nullable Integer by;

        long wanted(int now) {
            return engines != null ? engines : (long) now + (by == null ? 0 : by);
        }
    }

    ScaleCommand(CliContext context) {
        super(context, false);
    }

    @Override
    void run(RaySession session, ProgressDisplay progress) throws InterruptedException {
        ServerGroup servers = groups.require(session)
                .servers()
                .orElseThrow(() -> new NoFleetException(
                        "the fleet of '" + groups.group() + "' has no engines of its own to be more or fewer"));
        int now = engines(servers);
        long wanted = size.wanted(now);
        if (wanted < 1) {
            throw new UsageException(
                    "a fleet has 1 engine or more, not " + wanted + "; to end it there is `sglang-ray down`");
        }
        if (wanted > Integer.MAX_VALUE) {
            throw new UsageException("--by: a fleet cannot have " + wanted + " engines");
        }
        JsonNode report = follow(wanted, now, progress).get(0);
        progress.line(report.path("before").asInt() + " engine(s) before, now "
                + report.path("after").asInt()
                + (report.path("requestsEnded").asInt() == 0
                        ? ""
                        : "; " + report.path("requestsEnded").asInt()
                                + " request(s) had not ended in time and were ended"));
    }

    /** How many engines there are, of the pool if one is named. */
    private int engines(ServerGroup servers) {
        if (pool == null) {
            return servers.size() + servers.gone().size();
        }
        Collection<WorkerStatus> known = EachEngine.ask(servers, ServerGroup::status, ANSWER, silent -> {})
                .values();
        if (size.engines == null
                && known.size() < servers.size() + servers.gone().size()) {
            throw new LaunchException("not all engines answer, so that it is not known how many pool '" + pool
                    + "' has; say with --engines how many it is to have");
        }
        long own = known.stream()
                .filter(status -> status.identity().pool().equals(pool))
                .count();
        if (own == 0 && known.size() == servers.size() + servers.gone().size()) {
            List<String> names = known.stream()
                    .map(status -> status.identity().pool())
                    .filter(name -> !name.isEmpty())
                    .distinct()
                    .toList();
            throw new UsageException("--pool: the fleet has no pool '" + pool + "'; it has "
                    + (names.isEmpty() ? "none with a name" : String.join(", ", names)));
        }
        return (int) own;
    }

    private JsonNode follow(long wanted, int now, ProgressDisplay progress) throws InterruptedException {
        GatewayCall call = GatewayCall.begin(
                        groups.group(),
                        "fleet",
                        "scale",
                        Map.of(
                                "engines",
                                wanted,
                                "drain_timeout",
                                toDrain.toSeconds(),
                                "pool",
                                Objects.requireNonNullElse(pool, "")))
                .orElseThrow(() -> new LaunchException("the fleet '" + groups.group()
                        + "' has no gateway, so only the program that launched it can change its size (Fleet.scale)"));
        progress.line("asked the fleet's owner for " + wanted + " engine(s)" + (pool == null ? "" : " of pool " + pool)
                + " instead of " + now + " ...");
        String told = "";
        try {
            while (!call.await(LOOK)) {
                if (Thread.interrupted()) {
                    throw new InterruptedException("the fleet's owner continues; see `sglang-ray status`");
                }
                String news = states();
                if (!news.isEmpty() && !news.equals(told)) {
                    progress.line("engines: " + news);
                    told = news;
                }
            }
            return call.result();
        } catch (GatewayException e) {
            throw new LaunchException(String.valueOf(e.getMessage()), e);
        }
    }

    /** How many engines are in which state; empty when that is not known at the moment. */
    private String states() {
        Optional<ServerGroup> servers = ServerGroup.find(groups.group());
        Map<String, Integer> count = new TreeMap<>();
        servers.ifPresent(group -> EachEngine.ask(
                        group, ServerGroup::status, ANSWER, silent -> count.merge("not answering", 1, Integer::sum))
                .values()
                .forEach(status -> count.merge(status.state(), 1, Integer::sum)));
        StringBuilder text = new StringBuilder();
        count.forEach((state, engines) -> text.append(text.length() == 0 ? "" : ", ")
                .append(engines)
                .append(' ')
                .append(state));
        return text.toString();
    }
}
