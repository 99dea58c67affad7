/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.gang;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a part of an engine stands. Travels as JSON.
 *
 * @param phase where it is in its life
 * @param why why it ended, in words; null unless it did
 * @param again whether another start may succeed where this one failed, as when a port was taken
 * @param pid its process, or null
 * @param workerPid its worker's process
 * @param devices the accelerators that it sees
 * @param log its log on its node, or null before it has one
 * @param conditions what holds it back or makes its starts slow, in words
 */
public record PartState(
        Phase phase,
        @Nullable String why,
        boolean again,
        @Nullable Long pid,
        long workerPid,
        List<String> devices,
        @Nullable String log,
        List<String> conditions) {
    /** Copies the lists. */
    public PartState {
        devices = List.copyOf(devices);
        conditions = List.copyOf(conditions);
    }

    /** Where a part is in its life. */
    public enum Phase {
        /** It has no process of this start. */
        IDLE,
        STARTING,
        /** Its share of the model is loaded, and it works. */
        READY,
        ENDED
    }
}
