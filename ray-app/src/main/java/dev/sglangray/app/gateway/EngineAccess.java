/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.gateway;

import dev.sglangray.workers.ServerGroup;
import java.time.Duration;

/** What the owner of a fleet lets others do with its engines through the gateway. For use by several threads. */
public interface EngineAccess {
    /** The engines as they are now. */
    ServerGroup servers();

    /**
     * Gives a pool so many engines, and returns when it has them.
     *
     * @param pool the pool's name; empty for the only one of a fleet
     * @return what came of it: something that Jackson can write
     * @throws IllegalArgumentException when it cannot be done, in words
     * @throws dev.sglangray.workers.WorkerException when an engine does not start or is not accepted
     */
    Object scale(String pool, int wanted, Duration toDrain);
}
