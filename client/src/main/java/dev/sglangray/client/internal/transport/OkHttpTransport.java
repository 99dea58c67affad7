/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.internal.http.AnswerHandler;
import dev.sglangray.client.internal.http.AnswerHead;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.DelayedTasks;
import dev.sglangray.client.internal.http.Failures;
import dev.sglangray.client.internal.http.HttpCall;
import dev.sglangray.client.internal.http.HttpTransport;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.Call;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import okhttp3.Request;
import okhttp3.Response;
import org.jspecify.annotations.Nullable;

/** The transport on OkHttp. It owns its threads, all of them daemons, and its connections. */
public final class OkHttpTransport implements HttpTransport {
    private static final int IDLE_CONNECTIONS = 256;
    private static final int CALLBACK_THREADS = 8;
    private static final Set<Integer> FOLLOWED_UP = Set.of(401, 407, 408, 421, 503);

    private final ClientOptions options;
    private final OkHttpClient http;
    private final IdleCheck idle = new IdleCheck();
    private final ScheduledThreadPoolExecutor timer = timer();
    private final ThreadPoolExecutor later = callbackThreads();
    private final DelayedTasks pauses = new DelayedTasks(timer, later);
    private volatile boolean closed;

    public OkHttpTransport(ClientOptions options) {
        this.options = options;
        Dispatcher dispatcher = new Dispatcher(daemonThreads());
        dispatcher.setMaxRequests(options.maxConnections());
        dispatcher.setMaxRequestsPerHost(options.maxConnections());
        OkHttpClient.Builder builder = new OkHttpClient.Builder()
                .dispatcher(dispatcher)
                .connectionPool(
                        new ConnectionPool(IDLE_CONNECTIONS, ClientOptions.IDLE_TIME.toMillis(), TimeUnit.MILLISECONDS))
                // Offered HTTP/2, uvicorn with httptools answers 200 and drops the request's body.
                .protocols(List.of(Protocol.HTTP_1_1))
                // A redirected POST would silently become a GET without a body.
                .followRedirects(false)
                .followSslRedirects(false)
                .addNetworkInterceptor(OkHttpTransport::forbidFollowUps)
                .addNetworkInterceptor(idle)
                .proxy(options.proxy())
                .connectTimeout(options.connectTimeout())
                .readTimeout(Duration.ZERO)
                .writeTimeout(Duration.ZERO)
                .eventListenerFactory(call -> new ConnectionWatch(idle));
        if (options.tls() != null
                || options.baseUrls().stream().anyMatch(url -> url.target().isHttps())) {
            ClientOptions.Tls tls = options.tls() == null ? Certificates.trustedByTheJvm() : options.tls();
            builder.sslSocketFactory(
                    new TlsHandshakeTimeout(tls.context().getSocketFactory(), options.connectTimeout()), tls.trust());
        }
        this.http = builder.build();
    }

    @Override
    public Exchange start(HttpCall call, boolean paced, AnswerHandler handler) {
        ConnectionWatch.State state = new ConnectionWatch.State();
        Request request = request(call, state);
        OkHttpClient client = http;
        if (call.readTimeout() != null) {
            // A server that takes nothing of a request is as silent as one that says nothing.
            client = http.newBuilder()
                    .readTimeout(call.readTimeout())
                    .writeTimeout(call.readTimeout())
                    .build();
        }
        Call httpCall = client.newCall(request);
        httpCall.timeout().timeout(orNoLimit(call.requestTimeout()).toNanos(), TimeUnit.NANOSECONDS);
        OkHttpExchange exchange = new OkHttpExchange(options, call, httpCall, state, paced, handler, () -> closed);
        state.whenCanceled(exchange::read);
        if (closed || !startTimer(call, exchange)) {
            handler.onFailure(Failures.closed());
        } else {
            httpCall.enqueue(exchange);
        }
        return exchange;
    }

    private boolean startTimer(HttpCall call, OkHttpExchange exchange) {
        Duration limit = call.requestTimeout();
        if (limit == null) {
            return true;
        }
        Runnable expire = () -> {
            if (exchange.expire()) {
                pauses.after(Duration.ZERO, exchange::tellExpired);
            }
        };
        try {
            exchange.limit(timer.schedule(expire, limit.toNanos(), TimeUnit.NANOSECONDS));
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    @Override
    public void after(Duration pause, Runnable action) {
        pauses.after(pause, action);
    }

    @Override
    public void close() {
        closed = true;
        timer.shutdownNow();
        pauses.close();
        later.shutdown();
        http.dispatcher().cancelAll();
        http.dispatcher().executorService().shutdown();
        http.connectionPool().evictAll();
    }

    private Request request(HttpCall call, ConnectionWatch.State state) {
        Request.Builder request =
                new Request.Builder().url(call.baseUrl().resolve(call.path())).tag(ConnectionWatch.State.class, state);
        call.headers().forEach(request::header);
        String authorization = options.apiKey().authorization();
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        // Set here, so that OkHttp leaves the decompressing to us: it does not tell a broken answer from a broken
        // connection.
        request.header("Accept-Encoding", options.compression() ? "gzip" : "identity");
        byte[] body = call.body();
        return request.method(call.method(), body == null ? null : new NonRepeatableBody(body, state, timer))
                .build();
    }

    /** Where OkHttp would do something by itself, repeat the call or look for a proxy, it sees another status. */
    private static Response forbidFollowUps(Interceptor.Chain chain) throws IOException {
        Response response = chain.proceed(chain.request());
        ConnectionWatch.State state = chain.call().request().tag(ConnectionWatch.State.class);
        if (state == null || !FOLLOWED_UP.contains(response.code())) {
            return response;
        }
        state.head(new AnswerHead(response.code(), response::header));
        return response.newBuilder().code(400).build();
    }

    private static Duration orNoLimit(@Nullable Duration timeout) {
        return timeout == null ? Duration.ZERO : timeout;
    }

    private static ScheduledThreadPoolExecutor timer() {
        ScheduledThreadPoolExecutor timer =
                new ScheduledThreadPoolExecutor(1, task -> daemon(task, "inference-http-timer"));
        timer.setRemoveOnCancelPolicy(true);
        timer.setKeepAliveTime(5, TimeUnit.SECONDS);
        timer.allowCoreThreadTimeOut(true);
        return timer;
    }

    /** Few: that many calls are cancelled or tried again at the same time must not start as many threads. */
    private static ThreadPoolExecutor callbackThreads() {
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                CALLBACK_THREADS,
                CALLBACK_THREADS,
                5,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                task -> daemon(task, "inference-http-later"));
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    private static ThreadPoolExecutor daemonThreads() {
        AtomicInteger count = new AtomicInteger();
        return new ThreadPoolExecutor(
                0,
                Integer.MAX_VALUE,
                30,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                task -> daemon(task, "inference-http-" + count.incrementAndGet()));
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }
}
