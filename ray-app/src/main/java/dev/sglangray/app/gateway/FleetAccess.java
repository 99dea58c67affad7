/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.Optional;

/** What the owner of a fleet lets others do with it through the gateway. For use by several threads. */
public interface FleetAccess {
    /** The engines as they are now. */
    Optional<ServerGroup> servers();

    /** The router. */
    Optional<RouterGroup> router();

    /**
     * Gives the fleet so many engines, and returns when it has them.
     *
     * @return what came of it: something that Jackson can write
     * @throws IllegalArgumentException when it cannot be done, in words
     * @throws dev.sglangray.workers.WorkerException when an engine does not start or is not accepted
     */
    Object scale(int wanted, Duration toDrain);
}
