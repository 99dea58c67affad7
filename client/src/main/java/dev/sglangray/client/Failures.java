/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;

/** Makes the exceptions and their texts. */
final class Failures {
    private Failures() {}

    /** The call, for people: {@code POST http://host:30000/generate}. */
    static String what(ClientOptions options, HttpCall call) {
        String path = call.path();
        int query = path.indexOf('?');
        // A query may hold anything, secrets too.
        return call.method() + " " + options.baseUrl() + (query < 0 ? path : path.substring(0, query));
    }

    static InferenceException io(ClientOptions options, HttpCall call, boolean connected, IOException e) {
        String what = what(options, call);
        String reason = options.apiKey().redact(String.valueOf(e.getMessage()));
        if (e instanceof InterruptedIOException && !(e instanceof SocketTimeoutException)) {
            return new RequestTimeoutException(
                    what + ": no whole answer within the request timeout of "
                            + (call.timeout() != null ? call.timeout() : options.requestTimeout()),
                    e);
        }
        if (!connected) {
            return new ServerUnreachableException(what + ": cannot connect: " + connectReason(options, e, reason), e);
        }
        if (e instanceof SocketTimeoutException) {
            return new RequestTimeoutException(
                    what + ": the server was silent for the read timeout of " + options.readTimeout(), e);
        }
        return new ConnectionLostException(
                what + ": the connection broke before the whole answer had come (" + reason + ")", e);
    }

    static InferenceException status(ClientOptions options, HttpCall call, int status, String body) {
        String message = options.apiKey().redact(ServerMessage.of(body));
        return new ServerStatusException(
                what(options, call) + ": status " + status + (message.isEmpty() ? "" : ": " + message),
                status,
                message);
    }

    static InferenceException malformed(ClientOptions options, HttpCall call, String body, Exception e) {
        String why = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
        String seen = body.isBlank() ? "an empty body" : options.apiKey().redact(ServerMessage.shorten(body));
        return new MalformedResponseException(
                what(options, call) + ": the answer cannot be read: "
                        + options.apiKey().redact(String.valueOf(why)) + "; it was " + body.length() + " characters: "
                        + seen,
                null);
    }

    private static String connectReason(ClientOptions options, IOException e, String reason) {
        if (e instanceof SocketTimeoutException) {
            return "no connection within the connect timeout of " + options.connectTimeout();
        }
        return e instanceof UnknownHostException ? "unknown host (" + reason + ")" : reason;
    }
}
