/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.Failures;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContentDecompressor;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.proxy.HttpProxyHandler;
import io.netty.handler.proxy.ProxyHandler;
import io.netty.handler.proxy.Socks5ProxyHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/** Makes the connections of a pool: names, TCP, a proxy's tunnel, TLS. */
final class NettyConnector {
    private static final int MAX_HEAD_LINE = 16 * 1024;
    private static final int MAX_HEADERS = 64 * 1024;

    private final ClientOptions options;
    private final NettyPool pool;
    private final Executor names;

    NettyConnector(ClientOptions options, NettyPool pool, Executor names) {
        this.options = options;
        this.pool = pool;
        this.names = names;
    }

    /** Ends with {@link NettyPool#connected} or {@link NettyPool#connectFailed}. */
    void connect(NettyTarget target) {
        InetSocketAddress first = options.proxy().address() instanceof InetSocketAddress proxy
                ? proxy
                : InetSocketAddress.createUnresolved(
                        target.address().host(), target.address().port());
        InetAddress literal = NetUtil.createInetAddressFromIpAddressString(first.getHostString());
        if (literal != null) {
            connect(target, List.of(literal), first.getPort(), 0);
            return;
        }
        try {
            // The JDK's look-up of names blocks.
            names.execute(() -> {
                try {
                    List<InetAddress> addresses = List.of(InetAddress.getAllByName(first.getHostString()));
                    pool.loop().execute(() -> connect(target, addresses, first.getPort(), 0));
                } catch (UnknownHostException e) {
                    pool.loop().execute(() -> fail(target, e));
                }
            });
        } catch (RejectedExecutionException e) {
            fail(target, e);
        }
    }

    private void connect(NettyTarget target, List<InetAddress> addresses, int port, int index) {
        InetSocketAddress first = new InetSocketAddress(addresses.get(index), port);
        ProxyHandler tunnel = tunnel(target.address(), first);
        ChannelFuture connecting = new Bootstrap()
                .group(pool.loop())
                .channel(NioSocketChannel.class)
                // A proxy looks up names itself.
                .disableResolver()
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        Math.min(Integer.MAX_VALUE, options.connectTimeout().toMillis()))
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                // A server that refuses a request early may hang up on the rest of it; its answer is then still to be
                // read.
                .option(ChannelOption.AUTO_CLOSE, false)
                .handler(new Pipeline(target, tunnel))
                .connect(tunnel == null ? first : address(target.address()));
        connecting.addListener(done -> {
            if (done.isSuccess()) {
                afterTunnel(target, connecting.channel(), tunnel);
            } else if (index + 1 < addresses.size()) {
                connect(target, addresses, port, index + 1);
            } else {
                fail(target, done.cause());
            }
        });
    }

    /** Requests in the clear need none through a proxy for HTTP: they name their server. */
    private @Nullable ProxyHandler tunnel(BaseUrl.Target target, InetSocketAddress proxy) {
        ProxyHandler tunnel = switch (options.proxy().type()) {
            case DIRECT -> null;
            case HTTP -> target.isHttps() ? new HttpProxyHandler(proxy) : null;
            case SOCKS -> new Socks5ProxyHandler(proxy);
        };
        if (tunnel != null) {
            tunnel.setConnectTimeoutMillis(options.connectTimeout().toMillis());
        }
        return tunnel;
    }

    private static InetSocketAddress address(BaseUrl.Target target) {
        InetAddress literal = NetUtil.createInetAddressFromIpAddressString(target.host());
        return literal == null
                ? InetSocketAddress.createUnresolved(target.host(), target.port())
                : new InetSocketAddress(literal, target.port());
    }

    private void afterTunnel(NettyTarget target, Channel channel, @Nullable ProxyHandler tunnel) {
        if (tunnel == null) {
            afterTls(target, channel);
        } else {
            after(tunnel.connectFuture(), target, channel, () -> afterTls(target, channel));
        }
    }

    private void afterTls(NettyTarget target, Channel channel) {
        SslHandler secure = channel.pipeline().get(SslHandler.class);
        if (secure == null) {
            connected(target, channel);
        } else {
            after(secure.handshakeFuture(), target, channel, () -> connected(target, channel));
        }
    }

    private void after(Future<Channel> step, NettyTarget target, Channel channel, Runnable next) {
        step.addListener(done -> {
            if (done.isSuccess()) {
                next.run();
            } else {
                var unused = channel.close();
                fail(target, done.cause());
            }
        });
    }

    private void connected(NettyTarget target, Channel channel) {
        NettyConnection connection = channel.pipeline().get(NettyConnection.class);
        if (connection == null || !connection.isUsable()) {
            fail(target, new IOException("the server closed the connection at once"));
            return;
        }
        connection.established();
        pool.connected(connection);
    }

    private void fail(NettyTarget target, Throwable cause) {
        boolean timeout = cause instanceof ConnectTimeoutException || cause instanceof SslHandshakeTimeoutException;
        pool.connectFailed(
                target,
                call -> timeout
                        ? Failures.connectTimeout(options, call, cause)
                        : Failures.unreachable(options, call, cause));
    }

    /** The JDK's TLS, host names checked. */
    private SslHandler tls(BaseUrl.Target url) {
        SSLEngine engine;
        try {
            SSLContext context = options.tls() == null ? SSLContext.getDefault() : options.tls();
            engine = context.createSSLEngine(url.host(), url.port());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this JVM has no TLS", e);
        }
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        engine.setSSLParameters(parameters);
        SslHandler handler = new SslHandler(engine);
        handler.setHandshakeTimeoutMillis(options.connectTimeout().toMillis());
        return handler;
    }

    /** HTTP/1.1 and nothing else: neither an offer in TLS nor an upgrade in the clear. */
    private final class Pipeline extends ChannelInitializer<Channel> {
        private final NettyTarget target;
        private final @Nullable ProxyHandler tunnel;

        Pipeline(NettyTarget target, @Nullable ProxyHandler tunnel) {
            this.target = target;
            this.tunnel = tunnel;
        }

        @Override
        protected void initChannel(Channel channel) {
            ChannelPipeline pipeline = channel.pipeline();
            if (tunnel != null) {
                pipeline.addLast(tunnel);
            }
            if (target.address().isHttps()) {
                pipeline.addLast(tls(target.address()));
            }
            HttpDecoderConfig limits = new HttpDecoderConfig()
                    .setMaxInitialLineLength(MAX_HEAD_LINE)
                    .setMaxHeaderSize(MAX_HEADERS);
            pipeline.addLast(new HttpClientCodec(limits, false, false));
            if (options.compression()) {
                pipeline.addLast(new HttpContentDecompressor(0));
            }
            pipeline.addLast(new NettyConnection(options, pool, target));
        }
    }
}
