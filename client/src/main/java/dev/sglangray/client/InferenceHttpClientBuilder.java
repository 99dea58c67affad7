/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import java.net.Proxy;
import java.time.Duration;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** Builds an {@link InferenceHttpClient}. Not thread-safe. */
public final class InferenceHttpClientBuilder {
    private @Nullable BaseUrl baseUrl;
    private ApiKey apiKey = ApiKey.NONE;
    private Duration connectTimeout = Duration.ofSeconds(10);
    private @Nullable Duration readTimeout;
    private @Nullable Duration requestTimeout;
    private Proxy proxy = Proxy.NO_PROXY;
    private int maxConnections = 16 * 1024;
    private int maxRetries;
    private Duration retryBackoff = Duration.ofMillis(500);
    private ClientOptions.@Nullable Tls tls;

    InferenceHttpClientBuilder() {}

    /**
     * The engine or router, for example {@code http://10.0.0.1:30000} or {@code http://[fd00::1]:30000}; it may have a path,
     * in front of which nothing else is put.
     *
     * @throws IllegalArgumentException if it is not an http or https URL, or has a user name, query or fragment in it
     */
    public InferenceHttpClientBuilder baseUrl(String url) {
        this.baseUrl = BaseUrl.parse(url);
        return this;
    }

    /**
     * A key to send as {@code Authorization: Bearer}. It never shows in a text of this library.
     *
     * @throws IllegalArgumentException if it is blank or cannot stand in a header
     */
    public InferenceHttpClientBuilder apiKey(String key) {
        this.apiKey = ApiKey.of(key);
        return this;
    }

    /** How long connecting may take, TCP and TLS each; 10 seconds unless set, as in RLinf. More than 0. */
    public InferenceHttpClientBuilder connectTimeout(Duration timeout) {
        this.connectTimeout = positive("connectTimeout", timeout);
        return this;
    }

    /** How long the server may be silent; no limit unless set, because a generation may take any time. More than 0. */
    public InferenceHttpClientBuilder readTimeout(Duration timeout) {
        this.readTimeout = positive("readTimeout", timeout);
        return this;
    }

    /** How long one attempt may take as a whole; no limit unless set. More than 0. */
    public InferenceHttpClientBuilder requestTimeout(Duration timeout) {
        this.requestTimeout = positive("requestTimeout", timeout);
        return this;
    }

    /** Goes through a proxy. Unless set, proxies are bypassed, those of the JVM's and the system's settings too. */
    public InferenceHttpClientBuilder proxy(Proxy value) {
        this.proxy = value;
        return this;
    }

    /** How many calls may be under way at once; further ones queue. 16384 unless set, as in RLinf. At least 1. */
    public InferenceHttpClientBuilder maxConnections(int count) {
        this.maxConnections = atLeast("maxConnections", 1, count);
        return this;
    }

    /**
     * How often a failed call is tried again: after a refused, broken or silent connection and the statuses 500, 502, 503 and
     * 504. 0 unless set, as in RLinf.
     */
    public InferenceHttpClientBuilder maxRetries(int count) {
        this.maxRetries = atLeast("maxRetries", 0, count);
        return this;
    }

    /** The pause before the first retry; before the second it is twice as long, and so on. 500 ms unless set. */
    public InferenceHttpClientBuilder retryBackoff(Duration pause) {
        if (pause.isNegative()) {
            throw new IllegalArgumentException("retryBackoff is negative: " + pause);
        }
        this.retryBackoff = pause;
        return this;
    }

    /** How to speak to an https server whose certificate the JVM does not know. */
    public InferenceHttpClientBuilder tls(SSLSocketFactory sockets, X509TrustManager trust) {
        this.tls = new ClientOptions.Tls(sockets, trust);
        return this;
    }

    /**
     * The client.
     *
     * @throws IllegalArgumentException without a base URL
     */
    public InferenceHttpClient build() {
        if (baseUrl == null) {
            throw new IllegalArgumentException("a client needs a baseUrl");
        }
        ClientOptions options = new ClientOptions(
                baseUrl,
                apiKey,
                connectTimeout,
                readTimeout,
                requestTimeout,
                proxy,
                maxConnections,
                new RetryPolicy(maxRetries, retryBackoff),
                tls);
        return new InferenceHttpClient(options, new OkHttpTransport(options));
    }

    private static Duration positive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " must be more than 0: " + value);
        }
        return value;
    }

    private static int atLeast(String name, int least, int value) {
        if (value < least) {
            throw new IllegalArgumentException(name + " must be at least " + least + ": " + value);
        }
        return value;
    }
}
