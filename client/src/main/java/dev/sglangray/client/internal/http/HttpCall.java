/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP call to one server. A null duration means no limit.
 *
 * @param method {@code GET} or {@code POST}
 * @param path begins with a slash; appended to the base URL
 * @param headers all that the caller decides on, {@code Content-Type} too
 * @param body the bytes to post, not to be changed, or null
 * @param requestTimeout for the call as a whole
 * @param readTimeout how long the server may be silent
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record HttpCall(
        String method,
        BaseUrl baseUrl,
        String path,
        Map<String, String> headers,
        byte @Nullable [] body,
        @Nullable Duration requestTimeout,
        @Nullable Duration readTimeout) {
    /** The call, for people: {@code POST http://host:30000/generate}. */
    String what() {
        int query = path.indexOf('?');
        // A query may hold anything, secrets too.
        return method + " " + baseUrl + (query < 0 ? path : path.substring(0, query));
    }
}
