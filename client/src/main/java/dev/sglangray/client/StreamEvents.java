/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Reads the events of streams, among which a server may put an error. */
final class StreamEvents {
    private static final byte[] ERROR = "{\"error\"".getBytes(StandardCharsets.US_ASCII);

    private StreamEvents() {}

    static Generation generation(byte[] data) throws IOException {
        if (beginsWithError(data)) {
            var unused = json(data);
        }
        return Generation.parse(data);
    }

    static JsonNode json(byte[] data) throws IOException {
        JsonNode node = Json.read(data);
        if (node.hasNonNull("error")) {
            int code = node.path("error").path("code").asInt();
            throw new StreamSubscription.StreamError(code >= 400 && code < 600 ? code : 500);
        }
        return node;
    }

    private static boolean beginsWithError(byte[] data) {
        return data.length > ERROR.length
                && new String(data, 0, ERROR.length, StandardCharsets.US_ASCII)
                        .equals(new String(ERROR, StandardCharsets.US_ASCII));
    }
}
