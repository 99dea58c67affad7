/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.databind.JsonNode;

/** Reads the events of streams, among which a server may put an error. */
final class StreamEvents {
    private StreamEvents() {}

    /** As {@code reader}, but an event that tells of an error is a {@link StreamSubscription.StreamError}. */
    static <T> EventStream.EventReader<T> orError(EventStream.EventReader<T> reader) {
        return data -> {
            try {
                return reader.read(data);
            } catch (IllegalArgumentException e) {
                // Looked for only now: what a good event lacks is rarely an error.
                refuseError(Json.read(data));
                throw e;
            }
        };
    }

    private static void refuseError(JsonNode event) throws StreamSubscription.StreamError {
        if (event.hasNonNull("error")) {
            int code = event.path("error").path("code").asInt();
            throw new StreamSubscription.StreamError(code >= 400 && code < 600 ? code : 500);
        }
    }
}
