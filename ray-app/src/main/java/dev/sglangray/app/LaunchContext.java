/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.ray.GroupCreator;
import dev.sglangray.workers.loop.RecordStore;
import org.jspecify.annotations.Nullable;

/**
 * What a launch needs of the program that launches, beside its options.
 *
 * @param listener what receives the progress of the launch
 * @param record where the fleet is written down after the launch and after each change; null for a fleet that ends with its owner
 * @param groups creates placement groups; null for groups that end with this program
 */
public record LaunchContext(
        LaunchListener listener,
        @Nullable RecordStore<FleetState> record,
        @Nullable GroupCreator groups) {
    /** For a fleet that ends with this program. */
    public static LaunchContext of(LaunchListener listener) {
        return new LaunchContext(listener, null, null);
    }

    /** Whether the fleet outlives the process of its owner. */
    boolean detached() {
        return record != null;
    }

    GroupCreator groupCreator() {
        // Not a field's default: its constant needs Ray's classes, which a plan from a file does without.
        return groups == null ? GroupCreator.OF_THIS_PROCESS : groups;
    }
}
