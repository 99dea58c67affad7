/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.config.thread.Threads;
import java.net.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import okhttp3.ConnectionPool;
import okhttp3.ConnectionSpec;
import okhttp3.Dispatcher;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;

/** The HTTP client of a worker: HTTP/1.1 only, no proxy, daemon threads that go when idle. */
public final class WorkerHttp {
    /** A healthy engine may take a second for {@code /health}; a busy one longer. */
    static final Duration PROBE_TIMEOUT = Duration.ofSeconds(6);

    private static final int MAX_IDLE = 4;
    private static final int PER_HOST = 16;

    private WorkerHttp() {}

    public static OkHttpClient create() {
        Dispatcher dispatcher = new Dispatcher(Threads.pool("sglang-ray-http"));
        // All requests of a router's worker go to one host.
        dispatcher.setMaxRequestsPerHost(PER_HOST);
        return new OkHttpClient.Builder()
                .dispatcher(dispatcher)
                // A server that offers HTTP/2 by upgrade may drop the body of the request that asks for it.
                .protocols(List.of(Protocol.HTTP_1_1))
                // It asks the worker's own process only, never by TLS, whose classes would be a seventh of a worker's
                // start.
                .connectionSpecs(List.of(ConnectionSpec.CLEARTEXT))
                .proxy(Proxy.NO_PROXY)
                .connectionPool(new ConnectionPool(MAX_IDLE, 30, TimeUnit.SECONDS))
                .connectTimeout(PROBE_TIMEOUT)
                .callTimeout(PROBE_TIMEOUT)
                .retryOnConnectionFailure(true)
                .build();
    }
}
