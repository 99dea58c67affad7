/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.autoscaling;

import java.time.Duration;
import java.util.OptionalInt;

/** What autoscaling does with a fleet. For use by several threads. */
public interface PoolSizes {
    /**
     * Gives a pool another number of engines, or as many of the further ones as there is room for. Returns when they serve, or are gone.
     * No request is ended: where an engine that is to go still has some after the drain, no engine goes.
     *
     * @param change the pool and its sizes; its text is among the fleet's events from its begin on
     * @param toDrain how long requests of engines that go may take to end
     * @return how many the pool has then; empty where nothing was done, because another change is under way or the pool is no longer to
     *     have as many as before
     * @throws RuntimeException why it did not succeed, in words; the pool is as it was
     */
    OptionalInt resize(PoolChange change, Duration toDrain);

    /** Keeps a text with the fleet's events. */
    void remark(String text);
}
