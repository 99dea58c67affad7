/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP call.
 *
 * @param method {@code GET} or {@code POST}
 * @param path begins with a slash; appended to the base URL
 * @param json the body, or null
 * @param timeout for the whole call, or null for no limit
 */
record HttpCall(
        String method,
        String path,
        @Nullable String json,
        @Nullable Duration timeout) {
    static HttpCall get(String path, Duration timeout) {
        return new HttpCall("GET", path, null, timeout);
    }

    static HttpCall post(String path, String json) {
        return new HttpCall("POST", path, json, null);
    }
}
