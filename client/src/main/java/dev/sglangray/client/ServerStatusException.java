/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The server answered with a status other than 2xx, or said so in the middle of a stream. */
public final class ServerStatusException extends InferenceException {
    private final int status;
    private final String serverMessage;
    private final @Nullable Duration retryAfter;

    public ServerStatusException(String message, int status, String serverMessage, @Nullable Duration retryAfter) {
        super(message, null);
        this.status = status;
        this.serverMessage = serverMessage;
        this.retryAfter = retryAfter;
    }

    /** The HTTP status, for example 400. */
    public int status() {
        return status;
    }

    /** What the server said, taken out of its JSON where it sent any, shortened; empty if it said nothing. */
    public String serverMessage() {
        return serverMessage;
    }

    /** How long the server wants to be left alone, if it said so with a {@code Retry-After} header. */
    public Optional<Duration> retryAfter() {
        return Optional.ofNullable(retryAfter);
    }
}
