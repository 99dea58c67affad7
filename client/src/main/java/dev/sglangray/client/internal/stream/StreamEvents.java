/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.stream;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sglangray.client.EventStream;
import dev.sglangray.client.internal.json.JsonText;
import java.io.IOException;

/** Reads the events of streams, among which a server may put an error. */
public final class StreamEvents {
    private StreamEvents() {}

    /** As {@code reader}, but an event that tells of an error is a {@link ServerError}. */
    public static <T> EventStream.EventReader<T> orError(EventStream.EventReader<T> reader) {
        return data -> {
            try {
                return reader.read(data);
            } catch (IllegalArgumentException e) {
                // Looked for only now: what a good event lacks is rarely an error.
                refuseError(JsonText.read(data));
                throw e;
            }
        };
    }

    private static void refuseError(JsonNode event) throws ServerError {
        if (event.hasNonNull("error")) {
            int code = event.path("error").path("code").asInt();
            throw new ServerError(code >= 400 && code < 600 ? code : 500);
        }
    }

    /** The server says in the middle of a stream that it failed. */
    static final class ServerError extends IOException {
        private final int status;

        ServerError(int status) {
            super("the server reports an error");
            this.status = status;
        }

        int status() {
            return status;
        }
    }
}
