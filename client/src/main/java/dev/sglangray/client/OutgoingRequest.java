/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.Checks;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An attempt of a call, on its way out. Immutable.
 *
 * @param method {@code GET} or {@code POST}
 * @param baseUrl the server that was chosen
 * @param path with its query
 * @param headers all but those of the transport; the API key's is not among them
 * @param attempt 1 for the first
 */
public record OutgoingRequest(String method, String baseUrl, String path, Map<String, String> headers, int attempt) {
    public OutgoingRequest {
        headers = Map.copyOf(headers);
        headers.forEach(Checks::header);
    }

    /** The same with a header set or replaced. */
    public OutgoingRequest withHeader(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new OutgoingRequest(method, baseUrl, path, more, attempt);
    }
}
