/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import dev.sglangray.client.internal.call.Caller;
import dev.sglangray.client.internal.http.ApiKey;
import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.json.Checks;
import dev.sglangray.client.internal.transport.Certificates;
import java.net.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** Builds an {@link InferenceHttpClient}. Not thread-safe. */
public final class InferenceHttpClientBuilder {
    private static final int MAX_ARRAY = Integer.MAX_VALUE - 8;

    private List<BaseUrl> baseUrls = List.of();
    private ApiKey apiKey = ApiKey.NONE;
    private Duration connectTimeout = Duration.ofSeconds(10);
    private Proxy proxy = Proxy.NO_PROXY;
    private int maxConnections = 16 * 1024;
    private long maxAnswerBytes = Math.min(1L << 30, Runtime.getRuntime().maxMemory() / 8);
    private boolean compression = true;
    private int retryBudget = 100;
    private int eventLoops = Math.min(8, Runtime.getRuntime().availableProcessors());
    private @Nullable Executor callbackExecutor;
    private CallOptions options = CallOptions.DEFAULT;
    private final List<RequestInterceptor> interceptors = new ArrayList<>();
    private final List<ClientListener> listeners = new ArrayList<>();
    private @Nullable SSLContext tls;

    InferenceHttpClientBuilder() {}

    /**
     * The engine or router, for example {@code http://10.0.0.1:30000} or {@code http://[fd00::1]:30000}; it may have a path,
     * in front of which nothing else is put.
     *
     * @throws IllegalArgumentException if it is not an http or https URL, or has a user name, query or fragment in it; the text does not
     *     repeat what may be a secret
     */
    public InferenceHttpClientBuilder baseUrl(String url) {
        return baseUrls(List.of(url));
    }

    /**
     * Several servers that are all the same, for a fleet without a router: each call goes to the one with the fewest under way, and to
     * another one if it cannot be reached.
     *
     * @throws IllegalArgumentException as {@link #baseUrl}, and without any
     */
    public InferenceHttpClientBuilder baseUrls(List<String> urls) {
        if (urls.isEmpty()) {
            throw new IllegalArgumentException("a client needs a base URL");
        }
        this.baseUrls = urls.stream().map(BaseUrl::parse).toList();
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

    /** How long connecting may take, TCP and TLS each; 10 seconds unless set, as in RLinf. From 1 ms to 24 days. */
    public InferenceHttpClientBuilder connectTimeout(Duration timeout) {
        this.connectTimeout = Checks.timeout("connectTimeout", timeout);
        return this;
    }

    /** How long the server may be silent; no limit unless set, because a generation may take any time. From 1 ms to 24 days. */
    public InferenceHttpClientBuilder readTimeout(Duration timeout) {
        this.options = options.withReadTimeout(timeout);
        return this;
    }

    /** How long one attempt may take as a whole; no limit unless set. From 1 ms to 24 days. */
    public InferenceHttpClientBuilder requestTimeout(Duration timeout) {
        this.options = options.withRequestTimeout(timeout);
        return this;
    }

    /**
     * Goes through a proxy, for HTTP or SOCKS 5, that wants no password. Unless set, proxies are bypassed, those of the JVM's and the
     * system's settings too.
     */
    public InferenceHttpClientBuilder proxy(Proxy value) {
        this.proxy = value;
        return this;
    }

    /** How many calls may be under way at once; further ones queue. 16384 unless set, as in RLinf. At least 1. */
    public InferenceHttpClientBuilder maxConnections(int count) {
        this.maxConnections = Checks.atLeast("maxConnections", 1, count);
        return this;
    }

    /**
     * How often a failed call is tried again: after a connection that could not be made, a 503, a 429 that says for how long, and smg's 404 for having no engine; and
     * if {@link #repeatProcessed} is set, after a broken or silent connection and the statuses 500, 502 and 504. 0 unless set, as in
     * RLinf.
     */
    public InferenceHttpClientBuilder maxRetries(int count) {
        this.options = options.withMaxRetries(count);
        return this;
    }

    /**
     * Whether a POST that the server may have worked on is repeated too, as RLinf's client does: a generation then may run twice. False
     * unless set.
     */
    public InferenceHttpClientBuilder repeatProcessed(boolean value) {
        this.options = options.withRepeatProcessed(value);
        return this;
    }

    /**
     * The pause before the first retry; before the second it is twice as long, and so on, and up to half of it is left out at random.
     * 500 ms unless set.
     */
    public InferenceHttpClientBuilder retryBackoff(Duration pause) {
        this.options = options.withRetryBackoff(pause);
        return this;
    }

    /**
     * How many retries all calls together may take while nothing succeeds; ten successes pay for one more. 100 unless set. At least
     * 0.
     */
    public InferenceHttpClientBuilder retryBudget(int retries) {
        this.retryBudget = Checks.atLeast("retryBudget", 0, retries);
        return this;
    }

    /**
     * Whether cancelling a generation also aborts it, by the id {@code rid} that it is given, on an engine that is called directly.
     * Through a router the closed connection ends it, some seconds later. True unless set.
     */
    public InferenceHttpClientBuilder abortOnCancel(boolean value) {
        this.options = options.withAbortOnCancel(value);
        return this;
    }

    /** A header for every call. */
    public InferenceHttpClientBuilder header(String name, String value) {
        this.options = options.withHeader(name, value);
        return this;
    }

    /**
     * The largest answer that is taken, decompressed, and the largest event of a stream. An eighth of the JVM's heap and 1 GiB at
     * most, unless set: an answer and what is read out of it are in memory at the same time. From 1 to 2,147,483,639, the longest
     * array.
     *
     * @throws IllegalArgumentException if it is out of that range
     */
    public InferenceHttpClientBuilder maxAnswerBytes(long bytes) {
        if (bytes < 1 || bytes > MAX_ARRAY) {
            throw new IllegalArgumentException("maxAnswerBytes must be from 1 to " + MAX_ARRAY + ": " + bytes);
        }
        this.maxAnswerBytes = bytes;
        return this;
    }

    /** Whether the server may compress its answers with gzip; true unless set. */
    public InferenceHttpClientBuilder compression(boolean value) {
        this.compression = value;
        return this;
    }

    /** How many event loops there are; as many as processors, 8 at most, unless set. At least 1. */
    public InferenceHttpClientBuilder eventLoops(int count) {
        this.eventLoops = Checks.atLeast("eventLoops", 1, count);
        return this;
    }

    /** Where futures are completed and answers decoded; on the event loops unless set, where nothing may block. */
    public InferenceHttpClientBuilder callbackExecutor(Executor executor) {
        this.callbackExecutor = executor;
        return this;
    }

    /** Adds an interceptor; they run in the order in which they were added. */
    public InferenceHttpClientBuilder interceptor(RequestInterceptor interceptor) {
        interceptors.add(interceptor);
        return this;
    }

    /** Adds a listener, for metrics. */
    public InferenceHttpClientBuilder listener(ClientListener listener) {
        listeners.add(listener);
        return this;
    }

    /**
     * Trusts the certificates in a PEM file, and no others, for https servers.
     *
     * @throws IllegalArgumentException if the file cannot be read or has no certificate in it
     */
    public InferenceHttpClientBuilder trustedCertificates(Path pem) {
        this.tls = Certificates.trusting(pem);
        return this;
    }

    /**
     * How to speak to an https server whose certificate the JVM does not know, or that wants one of the client.
     *
     * @param trust ignored: {@code context} has its own
     */
    public InferenceHttpClientBuilder tls(SSLContext context, X509TrustManager trust) {
        this.tls = context;
        return this;
    }

    /**
     * The client.
     *
     * @throws IllegalArgumentException without a base URL
     */
    public InferenceHttpClient build() {
        return new InferenceHttpClient(new Caller(clientOptions()), options);
    }

    ClientOptions clientOptions() {
        if (baseUrls.isEmpty()) {
            throw new IllegalArgumentException("a client needs a baseUrl");
        }
        return new ClientOptions(
                baseUrls,
                apiKey,
                connectTimeout,
                proxy,
                maxConnections,
                maxAnswerBytes,
                compression,
                retryBudget,
                eventLoops,
                callbackExecutor,
                List.copyOf(interceptors),
                List.copyOf(listeners),
                tls);
    }
}
