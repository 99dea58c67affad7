/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.AttemptResult;
import dev.sglangray.client.ClientListener;
import dev.sglangray.client.InferenceException;
import dev.sglangray.client.OutgoingRequest;
import dev.sglangray.client.RequestInterceptor;
import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.HttpCall;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One attempt of a call: the server it goes to, what is sent, and who hears of it. */
public final class CallAttempt {
    private static final String USER_AGENT = "sglang-ray";

    private final List<ClientListener> listeners;
    private final Servers.Server server;
    private final OutgoingRequest request;
    private final HttpCall http;
    private final long started = System.nanoTime();

    private CallAttempt(List<ClientListener> listeners, Servers.Server server, OutgoingRequest request, HttpCall http) {
        this.listeners = listeners;
        this.server = server;
        this.request = request;
        this.http = http;
    }

    /**
     * Begins an attempt.
     *
     * @throws RuntimeException what an interceptor throws; the server is free again then
     */
    static CallAttempt begin(ClientOptions options, Servers.Server server, CallSpec call, String accept, int number) {
        try {
            OutgoingRequest request = new OutgoingRequest(
                    call.method(), server.url().toString(), call.path(), headers(call, accept), number);
            for (RequestInterceptor interceptor : options.interceptors()) {
                request = interceptor.intercept(request);
            }
            HttpCall http = new HttpCall(
                    call.method(),
                    server.url(),
                    call.path(),
                    request.headers(),
                    call.body(),
                    call.options().requestTimeoutOrNull(),
                    call.options().readTimeoutOrNull());
            OutgoingRequest sent = request;
            CallAttempt attempt = new CallAttempt(options.listeners(), server, sent, http);
            attempt.tell(listener -> listener.onStart(sent));
            return attempt;
        } catch (Throwable e) {
            server.release(null);
            throw e;
        }
    }

    public HttpCall http() {
        return http;
    }

    public BaseUrl server() {
        return server.url();
    }

    public AttemptResult end(int status, long received, @Nullable Throwable failure) {
        server.release(failure);
        byte[] body = http.body();
        AttemptResult result = new AttemptResult(
                status,
                Duration.ofNanos(System.nanoTime() - started),
                body == null ? 0 : body.length,
                received,
                failure instanceof InferenceException known ? known : null);
        tell(listener -> listener.onEnd(request, result));
        return result;
    }

    public void retried(AttemptResult result, Duration pause) {
        tell(listener -> listener.onRetry(request, result, pause));
    }

    private void tell(Consumer<ClientListener> what) {
        for (ClientListener listener : listeners) {
            try {
                what.accept(listener);
            } catch (Throwable e) {
                // A broken metric must not break a call, with an Error neither; the listener's contract says so.
            }
        }
    }

    private static Map<String, String> headers(CallSpec call, String accept) {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("Accept", accept);
        headers.put("User-Agent", USER_AGENT);
        headers.put("X-Request-Id", call.requestId());
        if (call.body() != null) {
            headers.put("Content-Type", call.contentType());
        }
        headers.putAll(call.options().headers());
        return headers;
    }
}
