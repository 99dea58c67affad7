/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import static dev.sglangray.app.monitor.ListenAddress.given;
import static dev.sglangray.app.monitor.ListenAddress.require;

import dev.sglangray.app.monitor.ListenAddress;
import dev.sglangray.config.Config;
import dev.sglangray.config.error.ConfigException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How a fleet's owner serves metrics. Immutable.
 *
 * @param address where it listens
 * @param readyShare the share of the wanted engines that must serve for {@code /readyz}, 0 to 1
 * @param intervalSeconds from one look at the fleet to the next, above 0
 */
public record MetricsSettings(ListenAddress address, double readyShare, double intervalSeconds) {
    /** Of a map without keys: only programs of the owner's node reach it, and all engines must serve. */
    public static final MetricsSettings DEFAULT = new MetricsSettings(ListenAddress.DEFAULT, 1.0, 5);

    private static final List<String> MORE_KEYS = List.of("ready_share", "interval_s");

    /** Checks the values; a wrong one is an {@link IllegalArgumentException} that names its key. */
    public MetricsSettings {
        require(readyShare >= 0 && readyShare <= 1, "ready_share must be from 0 to 1, not " + readyShare);
        require(intervalSeconds > 0, "interval_s must be above 0, not " + intervalSeconds);
    }

    /**
     * Reads the map {@code metrics} of the launcher's block; empty where there is none.
     *
     * @throws ConfigException that lists every fault
     */
    public static Optional<MetricsSettings> read(Config block) {
        return ListenAddress.settings(
                block,
                "metrics",
                MORE_KEYS,
                map -> new MetricsSettings(
                        ListenAddress.read(map),
                        given(map, "ready_share").map(Config::asDouble).orElse(DEFAULT.readyShare()),
                        given(map, "interval_s").map(Config::asDouble).orElse(DEFAULT.intervalSeconds())));
    }

    Duration interval() {
        return Duration.ofMillis(Math.max(1, Math.round(intervalSeconds * 1000)));
    }
}
