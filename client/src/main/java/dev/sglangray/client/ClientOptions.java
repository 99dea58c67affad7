/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.net.Proxy;
import java.time.Duration;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** What a client was built with. A null duration means no limit. */
record ClientOptions(
        BaseUrl baseUrl,
        ApiKey apiKey,
        Duration connectTimeout,
        @Nullable Duration readTimeout,
        @Nullable Duration requestTimeout,
        Proxy proxy,
        int maxConnections,
        RetryPolicy retries,
        @Nullable Tls tls) {
    /** How to check and speak to an https server. */
    record Tls(SSLSocketFactory sockets, X509TrustManager trust) {}
}
