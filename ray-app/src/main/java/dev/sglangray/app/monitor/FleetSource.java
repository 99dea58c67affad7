/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import java.util.function.ToLongFunction;

/** Where the looks at a fleet come from. For use by one thread. */
public interface FleetSource {
    /**
     * One look; blocks, but not for ever.
     *
     * @param from the number of the first event that is wanted of a worker, by its actor's name
     * @param load whether the engines are asked for their load too
     */
    FleetLook look(ToLongFunction<String> from, boolean load);

    /** Whether there is nothing to look at any more. */
    boolean isOver();
}
