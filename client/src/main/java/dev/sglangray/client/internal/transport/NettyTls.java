/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.ClientOptions;
import io.netty.handler.ssl.SslHandler;
import java.security.NoSuchAlgorithmException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/** Makes the TLS handler of a connection: the JDK's TLS, host names checked, no offer of HTTP/2. */
final class NettyTls {
    private final ClientOptions options;
    private @Nullable SSLContext standard;

    NettyTls(ClientOptions options) {
        this.options = options;
    }

    SslHandler handler(BaseUrl.Target url) {
        SSLEngine engine = context().createSSLEngine(url.host(), url.port());
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        engine.setSSLParameters(parameters);
        SslHandler handler = new SslHandler(engine);
        handler.setHandshakeTimeoutMillis(options.connectTimeout().toMillis());
        return handler;
    }

    private synchronized SSLContext context() {
        ClientOptions.Tls tls = options.tls();
        if (tls != null) {
            return tls.context();
        }
        try {
            SSLContext made = standard == null ? SSLContext.getDefault() : standard;
            standard = made;
            return made;
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JVM has no TLS", e);
        }
    }
}
