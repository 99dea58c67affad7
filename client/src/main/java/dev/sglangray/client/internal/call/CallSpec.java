/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.CallOptions;
import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.json.JsonText;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * What a caller wants, before a server is chosen and apart from retries.
 *
 * @param body the bytes to post, not to be changed, or null
 * @param contentType of the body and of the answer
 * @param requestId sent as {@code X-Request-Id}
 * @param rids the ids by which an engine can abort it; empty if there are none
 * @param onlyAt the one server to ask, or null for any
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record CallSpec(
        String method,
        String path,
        byte @Nullable [] body,
        String contentType,
        CallOptions options,
        String requestId,
        List<String> rids,
        @Nullable BaseUrl onlyAt) {
    public static final String JSON = "application/json";
    public static final String MSGPACK = "application/msgpack";
    public static final String EVENTS = "text/event-stream";

    public static CallSpec get(String path, CallOptions options) {
        return new CallSpec("GET", path, null, JSON, options, nextId(), List.of(), null);
    }

    public static CallSpec post(String path, byte[] body, String contentType, CallOptions options) {
        return new CallSpec("POST", path, body, contentType, options, nextId(), List.of(), null);
    }

    public static CallSpec generation(String path, GenerationBody body, CallOptions options) {
        return new CallSpec(
                "POST", path, JsonText.write(body.fields()), JSON, options, body.requestId(), body.rids(), null);
    }

    public CallSpec at(@Nullable BaseUrl server) {
        return new CallSpec(method, path, body, contentType, options, requestId, rids, server);
    }

    /** 32 hexadecimal digits, unique for all practical purposes, no secret. */
    static String nextId() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        String digits = Long.toHexString(random.nextLong() | Long.MIN_VALUE);
        return digits + Long.toHexString(random.nextLong() | Long.MIN_VALUE);
    }

    boolean isIdempotent() {
        return method.equals("GET");
    }
}
