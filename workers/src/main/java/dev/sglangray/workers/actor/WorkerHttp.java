/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import java.net.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;

/** The HTTP client of a worker: HTTP/1.1 only, no proxy, daemon threads that go when idle. */
public final class WorkerHttp {
    /** A healthy engine may take a second for {@code /health}; a busy one longer. */
    static final Duration PROBE_TIMEOUT = Duration.ofSeconds(6);

    private static final int MAX_IDLE = 4;

    private WorkerHttp() {}

    public static OkHttpClient create() {
        ExecutorService threads =
                new ThreadPoolExecutor(0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
                    Thread thread = new Thread(task, "sglang-ray-http");
                    thread.setDaemon(true);
                    return thread;
                });
        return new OkHttpClient.Builder()
                .dispatcher(new Dispatcher(threads))
                // A server that offers HTTP/2 by upgrade may drop the body of the request that asks for it.
                .protocols(List.of(Protocol.HTTP_1_1))
                .proxy(Proxy.NO_PROXY)
                .connectionPool(new ConnectionPool(MAX_IDLE, 30, TimeUnit.SECONDS))
                .connectTimeout(PROBE_TIMEOUT)
                .callTimeout(PROBE_TIMEOUT)
                .retryOnConnectionFailure(true)
                .build();
    }
}
