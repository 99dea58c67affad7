/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.http;

import dev.sglangray.client.ClientListener;
import dev.sglangray.client.RequestInterceptor;
import java.net.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** What a client was built with. */
public record ClientOptions(
        List<BaseUrl> baseUrls,
        ApiKey apiKey,
        Duration connectTimeout,
        Proxy proxy,
        int maxConnections,
        long maxAnswerBytes,
        boolean compression,
        int retryBudget,
        int eventLoops,
        @Nullable Executor callbackExecutor,
        List<RequestInterceptor> interceptors,
        List<ClientListener> listeners,
        @Nullable SSLContext tls) {
    /** How long an unused connection is kept: less than the 5 s after which uvicorn, and so SGLang, closes it. */
    public static final Duration IDLE_TIME = Duration.ofSeconds(4);
}
