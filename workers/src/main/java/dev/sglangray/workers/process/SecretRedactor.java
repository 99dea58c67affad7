/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.process;

import static dev.sglangray.config.error.Secrets.HIDDEN;
import static dev.sglangray.config.error.Secrets.valuesIn;

import dev.sglangray.bridge.LogTail;
import dev.sglangray.workers.protocol.ExternalServer;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Knows the secret values among arguments and variables, and takes them out of texts for people. Immutable. */
public final class SecretRedactor {
    private final List<String> values;

    private SecretRedactor(List<String> values) {
        this.values = values;
    }

    public static SecretRedactor of(Map<String, ?> arguments, Map<String, String> environment) {
        return new SecretRedactor(valuesIn(Map.of("arguments", arguments, "environment", environment)));
    }

    /** Also of the keys of servers. */
    static SecretRedactor of(Map<String, ?> arguments, Map<String, String> environment, List<ExternalServer> servers) {
        List<Map<String, String>> keys = servers.stream()
                .map(server -> server.endpoint().apiKey())
                .filter(Objects::nonNull)
                .map(key -> Map.of("api_key", key))
                .toList();
        return new SecretRedactor(
                valuesIn(Map.of("arguments", arguments, "environment", environment, "servers", keys)));
    }

    public LogTail.Piece hide(LogTail.Piece piece) {
        return new LogTail.Piece(
                piece.next(), piece.lines().stream().map(this::hide).toList(), hide(piece.unfinished()), piece.more());
    }

    public String hide(String text) {
        String result = text;
        for (String value : values) {
            result = result.replace(value, HIDDEN);
        }
        return result;
    }
}
