/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.tracing;

import dev.sglangray.config.Config;
import dev.sglangray.config.KnownKeys;
import dev.sglangray.config.error.ConfigException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Optional;

/**
 * Where a fleet's owner sends traces. Immutable. The key of the endpoint is SGLang's argument of the same name.
 *
 * @param endpoint the collector's address for OTLP over gRPC, a URL
 */
public record TracingSettings(URI endpoint) {
    private static final String KEY = "tracing";
    private static final String ENDPOINT = "otlp_traces_endpoint";

    /**
     * Reads the map {@code tracing} of the launcher's block; empty where there is none.
     *
     * @throws ConfigException with the place of what is wrong
     */
    public static Optional<TracingSettings> read(Config block) {
        Optional<Config> found = block.select(KEY).filter(value -> !value.isNull());
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Config map = found.get();
        if (!map.isMap()) {
            throw new ConfigException(map.error("must be a map, such as {" + ENDPOINT + ": collector:4317}"));
        }
        ConfigException.throwIfErrors(KnownKeys.unknown(map, List.of(ENDPOINT)));
        Config endpoint = map.select(ENDPOINT)
                .filter(value -> !value.isNull())
                .orElseThrow(() -> new ConfigException(
                        map.error("must say where traces go, such as {" + ENDPOINT + ": collector:4317}")));
        String text = endpoint.asString();
        return Optional.of(new TracingSettings(uri(text)
                .orElseThrow(
                        () -> new ConfigException(endpoint.error("must be host and port of a collector that takes OTLP"
                                + " over gRPC, such as collector:4317 or https://collector:4317, without a path")))));
    }

    private static Optional<URI> uri(String text) {
        try {
            URI uri = new URI(text.contains("://") ? text : "http://" + text);
            boolean fine = ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
                    && uri.getHost() != null
                    && uri.getPort() > 0
                    && uri.getPort() <= 65535
                    && uri.getUserInfo() == null
                    && (uri.getPath().isEmpty() || uri.getPath().equals("/"))
                    && uri.getQuery() == null
                    && uri.getFragment() == null;
            return fine ? Optional.of(uri) : Optional.empty();
        } catch (URISyntaxException e) {
            return Optional.empty();
        }
    }
}
