/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Call;
import okhttp3.Callback;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.Interceptor;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** The transport on OkHttp. It owns its threads, all of them daemons, and its connections. */
final class OkHttpTransport implements HttpTransport {
    private static final MediaType JSON = MediaType.get("application/json");
    private static final int IDLE_CONNECTIONS = 256;
    private static final Duration IDLE_TIME = Duration.ofMinutes(1);

    private final ClientOptions options;
    private final OkHttpClient http;
    private volatile boolean closed;

    OkHttpTransport(ClientOptions options) {
        this.options = options;
        Dispatcher dispatcher = new Dispatcher(daemonThreads());
        dispatcher.setMaxRequests(options.maxConnections());
        dispatcher.setMaxRequestsPerHost(options.maxConnections());
        OkHttpClient.Builder builder = new OkHttpClient.Builder()
                .dispatcher(dispatcher)
                .connectionPool(new ConnectionPool(IDLE_CONNECTIONS, IDLE_TIME.toMillis(), TimeUnit.MILLISECONDS))
                // Offered HTTP/2, uvicorn with httptools answers 200 and drops the request's body.
                .protocols(List.of(Protocol.HTTP_1_1))
                // A redirected POST would silently become a GET without a body.
                .followRedirects(false)
                .followSslRedirects(false)
                .addNetworkInterceptor(OkHttpTransport::forbidHiddenRetry)
                .proxy(options.proxy())
                .connectTimeout(options.connectTimeout())
                .readTimeout(orNoLimit(options.readTimeout()))
                .writeTimeout(Duration.ZERO)
                .eventListenerFactory(call -> new ConnectionWatch());
        if (options.tls() != null) {
            builder.sslSocketFactory(options.tls().sockets(), options.tls().trust());
        }
        this.http = builder.build();
    }

    @Override
    public CompletableFuture<String> send(HttpCall call) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        if (closed) {
            answer.completeExceptionally(new RequestCancelledException("the client is closed", null));
            return answer;
        }
        Call httpCall = http.newCall(request(call));
        Duration timeout = call.timeout() != null ? call.timeout() : options.requestTimeout();
        httpCall.timeout().timeout(orNoLimit(timeout).toNanos(), TimeUnit.NANOSECONDS);
        Futures.onEnd(answer, (body, failure) -> {
            if (answer.isCancelled()) {
                httpCall.cancel();
            }
        });
        httpCall.enqueue(new Completion(call, answer));
        return answer;
    }

    @Override
    public void close() {
        closed = true;
        http.dispatcher().cancelAll();
        http.dispatcher().executorService().shutdown();
        http.connectionPool().evictAll();
    }

    private Request request(HttpCall call) {
        Request.Builder request = new Request.Builder()
                .url(options.baseUrl().resolve(call.path()))
                .header("Accept", "application/json")
                .tag(ConnectionWatch.State.class, new ConnectionWatch.State());
        String authorization = options.apiKey().authorization();
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        String json = call.json();
        return request.method(call.method(), json == null ? null : RequestBody.create(json, JSON))
                .build();
    }

    /** OkHttp repeats a call by itself after a 408, and after a 503 whose Retry-After is 0; a later time makes it refrain. */
    private static Response forbidHiddenRetry(Interceptor.Chain chain) throws IOException {
        Response response = chain.proceed(chain.request());
        boolean repeated = response.code() == 408 || response.code() == 503;
        return repeated ? response.newBuilder().header("Retry-After", "1").build() : response;
    }

    private static Duration orNoLimit(@Nullable Duration timeout) {
        return timeout == null ? Duration.ZERO : timeout;
    }

    private static ThreadPoolExecutor daemonThreads() {
        AtomicInteger count = new AtomicInteger();
        return new ThreadPoolExecutor(0, Integer.MAX_VALUE, 30, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
            Thread thread = new Thread(task, "inference-http-" + count.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Turns OkHttp's callbacks into the future's end. */
    private final class Completion implements Callback {
        private final HttpCall call;
        private final CompletableFuture<String> answer;

        Completion(HttpCall call, CompletableFuture<String> answer) {
            this.call = call;
            this.answer = answer;
        }

        @Override
        public void onResponse(Call httpCall, Response response) {
            try (response) {
                String body = response.body().string();
                if (response.isSuccessful()) {
                    answer.complete(body);
                } else {
                    answer.completeExceptionally(Failures.status(options, call, response.code(), body));
                }
            } catch (IOException e) {
                onFailure(httpCall, e);
            }
        }

        @Override
        public void onFailure(Call httpCall, IOException e) {
            if (closed || answer.isCancelled()) {
                answer.completeExceptionally(
                        new RequestCancelledException(Failures.what(options, call) + ": cancelled", e));
                return;
            }
            ConnectionWatch.State state = httpCall.request().tag(ConnectionWatch.State.class);
            boolean connected = state != null && state.isConnected();
            answer.completeExceptionally(Failures.io(options, call, connected, e));
        }
    }
}
