/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli;

import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What lives of a fleet, found by its groups' names; at least one of the two.
 *
 * @param namespace the Ray namespace
 * @param serversOrNull the engines that live
 * @param routerOrNull the router
 */
record LivingFleet(
        String namespace,
        @Nullable ServerGroup serversOrNull,
        @Nullable RouterGroup routerOrNull) {
    Optional<ServerGroup> servers() {
        return Optional.ofNullable(serversOrNull);
    }

    Optional<RouterGroup> router() {
        return Optional.ofNullable(routerOrNull);
    }

    FleetReport report() {
        return FleetReport.of(namespace, serversOrNull, routerOrNull);
    }
}
