/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.engine;

import dev.sglangray.workers.loop.Lease;
import dev.sglangray.workers.protocol.FleetWeights;
import dev.sglangray.workers.protocol.PauseMode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a worker knows of its engine that a successor of its process must know too: the one record of an engine. It holds no keys.
 * Immutable; lies as JSON on the node.
 *
 * @param url where the engine serves, or did; null before its first start
 * @param epoch of the last report to the registry
 * @param restarts how often the engine came back
 * @param spentMillis when restarts were spent of the current budget, in milliseconds since 1970
 * @param groupSize how many engines the group has
 * @param drained when a drain ends by itself; null while not drained
 * @param released the memory that the engine has released
 * @param paused how generation is paused; null while it is not
 * @param fleet what weights the fleet has, as far as this worker knows
 */
public record EngineRecord(
        @Nullable String url,
        long epoch,
        int restarts,
        List<Long> spentMillis,
        int groupSize,
        @Nullable Lease drained,
        ReleasedMemory released,
        @Nullable PauseMode paused,
        FleetWeights fleet) {
    /** Copies the list. */
    public EngineRecord {
        spentMillis = List.copyOf(spentMillis);
    }

    /** Of an engine that was not started yet. */
    public static EngineRecord fresh(int groupSize) {
        return new EngineRecord(
                null, 0, 0, List.of(), groupSize, null, ReleasedMemory.NOTHING, null, FleetWeights.INITIAL);
    }

    EngineRecord withUrl(@Nullable String now) {
        return new EngineRecord(now, epoch, restarts, spentMillis, groupSize, drained, released, paused, fleet);
    }

    EngineRecord withEpoch(long now) {
        return new EngineRecord(url, now, restarts, spentMillis, groupSize, drained, released, paused, fleet);
    }

    EngineRecord withRestarts(int now, List<Long> spent) {
        return new EngineRecord(url, epoch, now, spent, groupSize, drained, released, paused, fleet);
    }

    EngineRecord withGroupSize(int now) {
        return new EngineRecord(url, epoch, restarts, spentMillis, now, drained, released, paused, fleet);
    }

    EngineRecord withDrain(@Nullable Lease now) {
        return new EngineRecord(url, epoch, restarts, spentMillis, groupSize, now, released, paused, fleet);
    }

    EngineRecord withReleased(ReleasedMemory now) {
        return new EngineRecord(url, epoch, restarts, spentMillis, groupSize, drained, now, paused, fleet);
    }

    EngineRecord withPaused(@Nullable PauseMode now) {
        return new EngineRecord(url, epoch, restarts, spentMillis, groupSize, drained, released, now, fleet);
    }

    EngineRecord withFleet(FleetWeights now) {
        return new EngineRecord(url, epoch, restarts, spentMillis, groupSize, drained, released, paused, now);
    }
}
