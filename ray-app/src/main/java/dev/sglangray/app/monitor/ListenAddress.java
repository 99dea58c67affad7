/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import dev.sglangray.config.Config;
import dev.sglangray.config.KnownKeys;
import dev.sglangray.config.error.ConfigException;
import dev.sglangray.workers.node.WorkerNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Where a fleet's owner serves something. Immutable.
 *
 * @param port where it listens; 0 for a port that is free
 * @param host the address that it listens at
 */
public record ListenAddress(int port, String host) {
    /** Only programs of the owner's node reach it. */
    public static final ListenAddress DEFAULT = new ListenAddress(0, "127.0.0.1");

    /** The keys that {@link #read} reads. */
    private static final List<String> KEYS = List.of("port", "host");

    private static final int LAST_PORT = 65535;

    /** Checks the values; a wrong one is an {@link IllegalArgumentException} that names its key. */
    public ListenAddress {
        require(port >= 0 && port <= LAST_PORT, "port must be from 0 to " + LAST_PORT + ", not " + port);
        require(!host.isBlank(), "host must be an address, such as 127.0.0.1 or 0.0.0.0, and is empty");
    }

    /** Refuses a value with these words. */
    public static void require(boolean fine, String message) {
        if (!fine) {
            throw new IllegalArgumentException(message);
        }
    }

    /**
     * Reads the map of what is served, which has {@code port}, {@code host} and perhaps more keys; empty where it is absent or null.
     *
     * @param key the map's key in the launcher's block
     * @param more its other keys
     * @param settings what to make of the map; its {@link IllegalArgumentException} is a fault of the map
     * @throws ConfigException that lists every fault
     */
    public static <T> Optional<T> settings(Config block, String key, List<String> more, Function<Config, T> settings) {
        Optional<Config> found = given(block, key);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Config map = found.get();
        if (!map.isMap()) {
            throw new ConfigException(map.error("must be a map, such as {port: 9400}"));
        }
        List<String> keys = new ArrayList<>(KEYS);
        keys.addAll(more);
        ConfigException.throwIfErrors(KnownKeys.unknown(map, keys));
        try {
            return Optional.of(settings.apply(map));
        } catch (IllegalArgumentException refusal) {
            throw new ConfigException(map.error(String.valueOf(refusal.getMessage())));
        }
    }

    /** The address that a map names. */
    public static ListenAddress read(Config map) {
        return new ListenAddress(
                given(map, "port").map(Config::asInt).orElse(DEFAULT.port()),
                given(map, "host").map(Config::asString).orElse(DEFAULT.host()));
    }

    /** The value of a key; empty where it is absent or null. */
    public static Optional<Config> given(Config map, String key) {
        return map.select(key).filter(value -> !value.isNull());
    }

    /** Whether only programs of the same node reach it. */
    public boolean isLoopback() throws UnknownHostException {
        return InetAddress.getByName(host).isLoopbackAddress();
    }

    /**
     * Host and port as in a URL, for programs of other nodes where it listens for them.
     *
     * @param node the address by which Ray knows this node
     * @param bound the port that is listened at
     */
    public String authority(String node, int bound) throws IOException {
        boolean all = InetAddress.getByName(host).isAnyLocalAddress();
        return WorkerNode.bracketed(all ? node : host) + ":" + bound;
    }
}
