/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.json.Checks;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
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
        return new CallOptions(
                timeout,
                readTimeoutOrNull,
                maxRetries,
                retryBackoff,
                maxRetryPause,
                repeatProcessed,
                abortOnCancel,
                headers);
    }

    /** With a limit on the server's silence; 1 ms to 24 days. */
    public CallOptions withReadTimeout(Duration timeout) {
        return new CallOptions(
                requestTimeoutOrNull,
                timeout,
                maxRetries,
                retryBackoff,
                maxRetryPause,
                repeatProcessed,
                abortOnCancel,
                headers);
    }

    /** With a number of retries; at least 0. */
    public CallOptions withMaxRetries(int count) {
        return new CallOptions(
                requestTimeoutOrNull,
                readTimeoutOrNull,
                count,
                retryBackoff,
                maxRetryPause,
                repeatProcessed,
                abortOnCancel,
                headers);
    }

    /** With another pause before the first retry; 0 to 24 days. */
    public CallOptions withRetryBackoff(Duration pause) {
        return new CallOptions(
                requestTimeoutOrNull,
                readTimeoutOrNull,
                maxRetries,
                pause,
                maxRetryPause,
                repeatProcessed,
                abortOnCancel,
                headers);
    }

    /** With another longest pause; 0 to 24 days. */
    public CallOptions withMaxRetryPause(Duration pause) {
        return new CallOptions(
                requestTimeoutOrNull,
                readTimeoutOrNull,
                maxRetries,
                retryBackoff,
                pause,
                repeatProcessed,
                abortOnCancel,
                headers);
    }

    /** With retries of a POST that the server may have worked on, or without. */
    public CallOptions withRepeatProcessed(boolean value) {
        return new CallOptions(
                requestTimeoutOrNull,
                readTimeoutOrNull,
                maxRetries,
                retryBackoff,
                maxRetryPause,
                value,
                abortOnCancel,
                headers);
    }

    /** With an abort for each cancelled generation of an engine, or without. */
    public CallOptions withAbortOnCancel(boolean value) {
        return new CallOptions(
                requestTimeoutOrNull,
                readTimeoutOrNull,
                maxRetries,
                retryBackoff,
                maxRetryPause,
                repeatProcessed,
                value,
                headers);
    }

    /** With one more header. */
    public CallOptions withHeader(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new CallOptions(
                requestTimeoutOrNull,
                readTimeoutOrNull,
                maxRetries,
                retryBackoff,
                maxRetryPause,
                repeatProcessed,
                abortOnCancel,
                more);
    }
}
