/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.Checks;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What may differ from call to call; see {@link InferenceHttpClient#withOptions}. Immutable: each {@code with…} gives another one.
 *
 * @param requestTimeoutOrNull for one attempt as a whole, the wait for a connection included; 1 ms to 24 days; null for no limit
 * @param readTimeoutOrNull how long the server may be silent, or take nothing of the request; 1 ms to 24 days; null for no limit
 * @param maxRetries how often a failed call is tried again, at least 0
 * @param retryBackoff the pause before the first retry; it grows by itself with each, and up to half of it is left out at random
 * @param maxRetryPause the longest pause; a server that asks for a longer one by {@code Retry-After} is not tried again
 * @param repeatProcessed whether a POST that the server may have worked on is repeated too
 * @param abortOnCancel whether cancelling a generation also aborts it by its id, on an engine that is called directly; through a
 *     router the closed connection ends it, some seconds later
 * @param headers further headers
 */
public record CallOptions(
        @Nullable Duration requestTimeoutOrNull,
        @Nullable Duration readTimeoutOrNull,
        int maxRetries,
        Duration retryBackoff,
        Duration maxRetryPause,
        boolean repeatProcessed,
        boolean abortOnCancel,
        Map<String, String> headers) {
    /** No limits, no retries, as in RLinf; an abort for each cancelled generation of an engine. */
    public static final CallOptions DEFAULT =
            new CallOptions(null, null, 0, Duration.ofMillis(500), Duration.ofSeconds(60), false, true, Map.of());

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if a value is out of its range, or a header cannot be sent or is the client's own
     */
    public CallOptions {
        Checks.timeoutOrNull("requestTimeout", requestTimeoutOrNull);
        Checks.timeoutOrNull("readTimeout", readTimeoutOrNull);
        Checks.atLeast("maxRetries", 0, maxRetries);
        Checks.pause("retryBackoff", retryBackoff);
        Checks.pause("maxRetryPause", maxRetryPause);
        headers = Map.copyOf(headers);
        headers.forEach(Checks::header);
    }

    /** With a limit on one attempt as a whole; 1 ms to 24 days. */
    public CallOptions withRequestTimeout(Duration timeout) {
        return with(draft -> draft.requestTimeout = timeout);
    }

    /** With a limit on the server's silence; 1 ms to 24 days. */
    public CallOptions withReadTimeout(Duration timeout) {
        return with(draft -> draft.readTimeout = timeout);
    }

    /** With a number of retries; at least 0. */
    public CallOptions withMaxRetries(int count) {
        return with(draft -> draft.maxRetries = count);
    }

    /** With another pause before the first retry; 0 to 24 days. */
    public CallOptions withRetryBackoff(Duration pause) {
        return with(draft -> draft.retryBackoff = pause);
    }

    /** With another longest pause; 0 to 24 days. */
    public CallOptions withMaxRetryPause(Duration pause) {
        return with(draft -> draft.maxRetryPause = pause);
    }

    /** With retries of a POST that the server may have worked on, or without. */
    public CallOptions withRepeatProcessed(boolean value) {
        return with(draft -> draft.repeatProcessed = value);
    }

    /** With an abort for each cancelled generation of an engine, or without. */
    public CallOptions withAbortOnCancel(boolean value) {
        return with(draft -> draft.abortOnCancel = value);
    }

    /** With one more header. */
    public CallOptions withHeader(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return with(draft -> draft.headers = more);
    }

    private CallOptions with(Consumer<Draft> change) {
        Draft draft = new Draft();
        change.accept(draft);
        return new CallOptions(
                draft.requestTimeout,
                draft.readTimeout,
                draft.maxRetries,
                draft.retryBackoff,
                draft.maxRetryPause,
                draft.repeatProcessed,
                draft.abortOnCancel,
                draft.headers);
    }

    /** The values, to be changed. */
    private final class Draft {
        private @Nullable Duration requestTimeout = requestTimeoutOrNull;
        private @Nullable Duration readTimeout = readTimeoutOrNull;
        private int maxRetries = CallOptions.this.maxRetries;
        private Duration retryBackoff = CallOptions.this.retryBackoff;
        private Duration maxRetryPause = CallOptions.this.maxRetryPause;
        private boolean repeatProcessed = CallOptions.this.repeatProcessed;
        private boolean abortOnCancel = CallOptions.this.abortOnCancel;
        private Map<String, String> headers = CallOptions.this.headers;
    }
}
