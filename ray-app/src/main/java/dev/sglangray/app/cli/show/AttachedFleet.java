/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import dev.sglangray.app.gateway.Gateway;
import dev.sglangray.app.gateway.GatewayFacts;
import dev.sglangray.app.monitor.OwnerUrls;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What lives of a fleet.
 *
 * @param namespace the Ray namespace
 * @param groupOrNull the engines' group, or null where only a router was named
 * @param serversOrNull the engines that live
 * @param routerNameOrNull the group of the fleet's router, or null for a fleet without one
 * @param routerOrNull the router, or null when it is gone
 */
public record AttachedFleet(
        String namespace,
        @Nullable String groupOrNull,
        @Nullable ServerGroup serversOrNull,
        @Nullable String routerNameOrNull,
        @Nullable RouterGroup routerOrNull) {
    /** The gateway answers at once, unless it is being started again. */
    private static final Duration FACTS = Duration.ofSeconds(2);

    public Optional<String> groupName() {
        return Optional.ofNullable(groupOrNull);
    }

    public Optional<ServerGroup> servers() {
        return Optional.ofNullable(serversOrNull);
    }

    public Optional<RouterGroup> router() {
        return Optional.ofNullable(routerOrNull);
    }

    public Optional<String> routerName() {
        return Optional.ofNullable(routerNameOrNull);
    }

    /** The name that the fleet goes by: its engines' group, or its router's where it has no engines. */
    public Optional<String> name() {
        return Optional.ofNullable(groupOrNull == null ? routerNameOrNull : groupOrNull);
    }

    /** Where its owner serves what it sees; nowhere when its gateway does not say so in time. */
    public OwnerUrls urls() {
        return name().flatMap(name -> Gateway.facts(name, FACTS))
                .map(GatewayFacts::urls)
                .orElse(OwnerUrls.NONE);
    }

    /** What lives of a fleet at hand. */
    public static AttachedFleet of(String namespace, @Nullable ServerGroup servers, @Nullable RouterGroup router) {
        return new AttachedFleet(
                namespace,
                servers == null ? null : servers.name(),
                servers,
                router == null ? null : router.name(),
                router);
    }

    public FleetReport report() {
        return FleetReport.of(this);
    }
}
