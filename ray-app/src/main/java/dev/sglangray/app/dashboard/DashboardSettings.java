/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.dashboard;

import dev.sglangray.app.monitor.ListenAddress;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import java.util.List;
import java.util.Optional;

/**
 * How a fleet's owner serves its page. Immutable.
 *
 * @param address where it listens
 */
public record DashboardSettings(ListenAddress address) {
    /** The map's key in the launcher's block. */
    public static final String KEY = "dashboard";

    /**
     * Reads the map {@code dashboard} of the launcher's block; empty where there is none.
     *
     * @throws ConfigException that lists every fault
     */
    public static Optional<DashboardSettings> read(Config block) {
        return ListenAddress.settings(block, KEY, List.of(), map -> new DashboardSettings(ListenAddress.read(map)));
    }
}
