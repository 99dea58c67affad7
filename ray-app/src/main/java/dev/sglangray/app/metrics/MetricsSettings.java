/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.metrics;

import dev.sglangray.config.Config;
import dev.sglangray.config.KnownKeys;
import dev.sglangray.config.error.ConfigException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * How a fleet's owner serves metrics. Immutable.
 *
 * @param port where it listens; 0 for a port that is free
 * @param host the address that it listens at
 * @param readyShare the share of the wanted engines that must serve for {@code /readyz}, 0 to 1
 * @param intervalSeconds from one look at the fleet to the next, above 0
 */
public record MetricsSettings(int port, String host, double readyShare, double intervalSeconds) {
    /** Of a map without keys: only programs of the owner's node reach it, and all engines must serve. */
    public static final MetricsSettings DEFAULT = new MetricsSettings(0, "127.0.0.1", 1.0, 5);

    private static final String KEY = "metrics";
    private static final List<String> KEYS = List.of("port", "host", "ready_share", "interval_s");
    private static final int LAST_PORT = 65535;

    /** Checks the values; a wrong one is an {@link IllegalArgumentException} that names its key. */
    public MetricsSettings {
        require(port >= 0 && port <= LAST_PORT, "port must be from 0 to " + LAST_PORT + ", not " + port);
        require(!host.isBlank(), "host must be an address, such as 127.0.0.1 or 0.0.0.0, and is empty");
        require(readyShare >= 0 && readyShare <= 1, "ready_share must be from 0 to 1, not " + readyShare);
        require(intervalSeconds > 0, "interval_s must be above 0, not " + intervalSeconds);
    }

    private static void require(boolean fine, String message) {
        if (!fine) {
            throw new IllegalArgumentException(message);
        }
    }

    /**
     * Reads the map {@code metrics} of the launcher's block; empty where there is none.
     *
     * @throws ConfigException that lists every fault
     */
    public static Optional<MetricsSettings> read(Config block) {
        Optional<Config> found = given(block, KEY);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Config map = found.get();
        if (!map.isMap()) {
            throw new ConfigException(map.error("must be a map, such as {port: 9400}"));
        }
        ConfigException.throwIfErrors(KnownKeys.unknown(map, KEYS));
        try {
            return Optional.of(new MetricsSettings(
                    given(map, "port").map(Config::asInt).orElse(DEFAULT.port()),
                    given(map, "host").map(Config::asString).orElse(DEFAULT.host()),
                    given(map, "ready_share").map(Config::asDouble).orElse(DEFAULT.readyShare()),
                    given(map, "interval_s").map(Config::asDouble).orElse(DEFAULT.intervalSeconds())));
        } catch (IllegalArgumentException refusal) {
            throw new ConfigException(map.error(String.valueOf(refusal.getMessage())));
        }
    }

    private static Optional<Config> given(Config map, String key) {
        return map.select(key).filter(value -> !value.isNull());
    }

    Duration interval() {
        return Duration.ofMillis(Math.max(1, Math.round(intervalSeconds * 1000)));
    }
}
