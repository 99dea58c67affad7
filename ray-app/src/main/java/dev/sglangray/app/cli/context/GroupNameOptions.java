/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.context;

import dev.sglangray.app.cli.show.AttachedFleet;
import dev.sglangray.app.cli.show.NoFleetException;
import dev.sglangray.app.detached.FleetLeftovers;
import dev.sglangray.app.detached.FleetTraces;
import dev.sglangray.app.session.RaySession;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which fleet, by the names of its groups. The one place that finds out which router belongs to which engines. */
public final class GroupNameOptions {
    private static final String ENGINES = "SGLangServerGroup";
    private static final String ROUTER = "SGLangRouterGroup";
    private static final Duration ANSWER = Duration.ofSeconds(5);

    @Option(
            names = {"--group"},
            paramLabel = "NAME",
            converter = OptionValues.Name.class,
            description = "The engines' group (group_name). Default: " + ENGINES)
    private @Nullable String group;

    @Option(
            names = {"--router-group"},
            paramLabel = "NAME",
            converter = OptionValues.Name.class,
            description = "The router's group (router_group_name). Default: that of the engines' router")
    private @Nullable String routerGroup;

    /** The engines' group. */
    public String group() {
        return group == null ? ENGINES : group;
    }

    /**
     * What lives of the fleet.
     *
     * @throws NoFleetException when nothing does
     */
    public AttachedFleet require(RaySession session) {
        AttachedFleet fleet = find(session);
        if (fleet.servers().isEmpty() && fleet.router().isEmpty()) {
            throw noFleet(session);
        }
        return fleet;
    }

    /** What lives of the fleet, which may be nothing. */
    public AttachedFleet find(RaySession session) {
        FleetTraces traces = FleetLeftovers.read();
        Optional<ServerGroup> servers = ServerGroup.find(group(), traces.ranks(group()));
        Optional<String> known = servers.flatMap(GroupNameOptions::toldRouter)
                .or(() -> traces.routerGroup(group()))
                .filter(name -> !name.isEmpty());
        // A router was named and no engines: those with the usual name are another fleet's, unless they have that
        // router.
        boolean others = group == null && routerGroup != null && !known.equals(Optional.of(routerGroup));
        boolean routerAlone = group == null && !traces.isLaunched(ENGINES) && traces.isLaunched(ROUTER);
        Optional<String> router = Optional.ofNullable(routerGroup)
                .or(() -> known)
                .or(() -> servers.isEmpty() && routerAlone ? Optional.of(ROUTER) : Optional.empty());
        return new AttachedFleet(
                session.namespace(),
                others ? null : group(),
                others ? null : servers.orElse(null),
                router.orElse(null),
                router.flatMap(RouterGroup::find).orElse(null));
    }

    /** The router's group by the first engine that answers; empty text for none, nothing when no engine answers. */
    private static Optional<String> toldRouter(ServerGroup servers) {
        CompletableFuture<String> first = new CompletableFuture<>();
        for (int rank : servers.ranks()) {
            var unused = servers.on(rank)
                    .routerGroup()
                    .toCompletableFuture()
                    .thenAccept(names -> first.complete(names.get(0)));
        }
        try {
            return Optional.of(first.get(ANSWER.toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } catch (ExecutionException | TimeoutException e) {
            return Optional.empty();
        }
    }

    public NoFleetException noFleet(RaySession session) {
        return new NoFleetException("there is no fleet with the group '" + group() + "'"
                + (routerGroup == null ? "" : " or the router group '" + routerGroup + "'") + " in namespace '"
                + session.namespace() + "'");
    }
}
