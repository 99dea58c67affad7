/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.app.gateway.FleetAccess;
import dev.sglangray.placement.PlacementException;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the gateway may do with a fleet. */
final class GatewayFleet implements FleetAccess {
    private final @Nullable FleetEngines engines;
    private final @Nullable RouterGroup router;

    GatewayFleet(@Nullable FleetEngines engines, @Nullable RouterGroup router) {
        this.engines = engines;
        this.router = router;
    }

    @Override
    public Optional<ServerGroup> servers() {
        return Optional.ofNullable(engines).map(FleetEngines::servers);
    }

    @Override
    public Optional<RouterGroup> router() {
        return Optional.ofNullable(router);
    }

    @Override
    public Object scale(int wanted, Duration toDrain) {
        if (engines == null) {
            throw new IllegalArgumentException("the fleet has no engines of its own");
        }
        try {
            return engines.scale(wanted, toDrain, LaunchListener.NONE);
        } catch (LaunchException | PlacementException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }
}
