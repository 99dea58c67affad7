/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

/** Where a fleet is written down, so that another process can {@linkplain FleetSpec#adopt take it over}. */
@FunctionalInterface
public interface FleetMemory {
    /** Keeps nothing: the fleet ends with its owner. */
    FleetMemory NONE = state -> {};

    /** Called after the launch and after each change; does not throw. */
    void save(FleetState state);
}
