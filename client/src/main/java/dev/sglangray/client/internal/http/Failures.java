/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sglangray.client.AnswerTooLargeException;
import dev.sglangray.client.ConnectionLostException;
import dev.sglangray.client.InferenceException;
import dev.sglangray.client.MalformedResponseException;
import dev.sglangray.client.RequestCancelledException;
import dev.sglangray.client.RequestTimeoutException;
import dev.sglangray.client.ServerStatusException;
import dev.sglangray.client.ServerUnreachableException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Makes the exceptions and their texts. */
public final class Failures {
    private Failures() {}

    public static InferenceException requestTimeout(HttpCall call, @Nullable Throwable cause) {
        return new RequestTimeoutException(
                call.what() + ": no whole answer within the request timeout of " + call.requestTimeout(), cause);
    }

    public static InferenceException readTimeout(HttpCall call, @Nullable Throwable cause) {
        return new RequestTimeoutException(
                call.what() + ": the server was silent for the read timeout of " + call.readTimeout(), cause);
    }

    public static InferenceException connectTimeout(ClientOptions options, HttpCall call, @Nullable Throwable cause) {
        return new ServerUnreachableException(
                call.what() + ": cannot connect: no connection within the connect timeout of "
                        + options.connectTimeout(),
                cause);
    }

    public static InferenceException unreachable(ClientOptions options, HttpCall call, Throwable cause) {
        String reason = reason(options, cause);
        return new ServerUnreachableException(
                call.what() + ": cannot connect: "
                        + (cause instanceof UnknownHostException ? "unknown host (" + reason + ")" : reason),
                cause);
    }

    public static InferenceException lost(ClientOptions options, HttpCall call, Throwable cause) {
        return new ConnectionLostException(
                call.what() + ": the connection broke before the whole answer had come (" + reason(options, cause)
                        + ")",
                cause);
    }

    public static InferenceException cancelled(HttpCall call, @Nullable Throwable cause) {
        return new RequestCancelledException(call.what() + ": cancelled", cause);
    }

    public static InferenceException closed() {
        return new RequestCancelledException("the client is closed", null);
    }

    public static InferenceException tooLarge(ClientOptions options, HttpCall call) {
        return new AnswerTooLargeException(call.what() + ": the answer is larger than the limit of "
                + options.maxAnswerBytes() + " bytes (maxAnswerBytes)");
    }

    public static InferenceException status(ClientOptions options, HttpCall call, HttpAnswer answer) {
        String retryAfter = answer.head().header("Retry-After");
        return status(options, call, answer.head().status(), answer.text(), retryAfter);
    }

    public static InferenceException status(
            ClientOptions options, HttpCall call, int status, String body, @Nullable String retryAfter) {
        String message = options.apiKey().redact(ServerMessage.of(body));
        return new ServerStatusException(
                call.what() + ": status " + status + (message.isEmpty() ? "" : ": " + message),
                status,
                message,
                RetryAfter.parse(retryAfter));
    }

    /** An answer that is no JSON, or not the JSON that was expected. */
    public static InferenceException malformed(ClientOptions options, HttpCall call, byte[] body, Exception e) {
        String why = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
        int shown = Math.min(body.length, 4 * ServerMessage.MAX_LENGTH);
        String seen = new String(Arrays.copyOf(body, shown), StandardCharsets.UTF_8);
        return new MalformedResponseException(
                call.what() + ": the answer cannot be read: "
                        + options.apiKey().redact(String.valueOf(why)) + "; it was " + body.length + " bytes: "
                        + (seen.isBlank() ? "an empty body" : options.apiKey().redact(ServerMessage.shorten(seen))),
                null);
    }

    public static InferenceException noStream(HttpCall call, String contentType) {
        return new MalformedResponseException(
                call.what() + ": the answer is no event stream but " + ServerMessage.shorten(contentType), null);
    }

    /** The call could not be carried out, or its answer not be read, in a way that nothing else here describes. */
    public static InferenceException unexpected(ClientOptions options, HttpCall call, Throwable cause) {
        if (cause instanceof InferenceException known) {
            return known;
        }
        if (isOutOfMemory(cause)) {
            return new AnswerTooLargeException(
                    call.what() + ": the JVM has no memory left for the answer; the limit for one is "
                            + options.maxAnswerBytes() + " bytes (maxAnswerBytes)");
        }
        return new MalformedResponseException(
                call.what() + ": the answer cannot be read: " + cause.getClass().getSimpleName() + ": "
                        + reason(options, cause),
                cause);
    }

    public static boolean isOutOfMemory(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof OutOfMemoryError) {
                return true;
            }
        }
        return false;
    }

    /** An answer that is no HTTP. */
    public static InferenceException notHttp(ClientOptions options, HttpCall call, Throwable cause) {
        return new MalformedResponseException(
                call.what() + ": the answer is not HTTP: " + reason(options, cause), cause);
    }

    private static String reason(ClientOptions options, Throwable cause) {
        String message = cause.getMessage();
        return options.apiKey().redact(message == null ? cause.getClass().getSimpleName() : message);
    }
}
