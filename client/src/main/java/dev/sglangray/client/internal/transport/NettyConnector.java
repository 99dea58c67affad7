/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

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
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.util.NetUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** Makes the connections of a pool: names, TCP, TLS. */
final class NettyConnector {
    private static final int MAX_HEAD_LINE = 16 * 1024;
    private static final int MAX_HEADERS = 64 * 1024;

    private final ClientOptions options;
    private final NettyPool pool;
    private final NettyTls tls;
    private final Executor names;

    NettyConnector(ClientOptions options, NettyPool pool, NettyTls tls, Executor names) {
        this.options = options;
        this.pool = pool;
        this.tls = tls;
        this.names = names;
    }

    /** Ends with {@link NettyPool#connected} or {@link NettyPool#connectFailed}. */
    void connect(NettyTarget target) {
        String host = target.address().host();
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
        if (literal != null) {
            try {
                connect(target, List.of(InetAddress.getByAddress(host, literal)), 0);
            } catch (UnknownHostException e) {
                fail(target, e);
            }
            return;
        }
        try {
            // The JDK's look-up of names blocks.
            names.execute(() -> {
                try {
                    List<InetAddress> addresses = List.of(InetAddress.getAllByName(host));
                    pool.loop().execute(() -> connect(target, addresses, 0));
                } catch (UnknownHostException e) {
                    pool.loop().execute(() -> fail(target, e));
                }
            });
        } catch (RejectedExecutionException e) {
            fail(target, e);
        }
    }

    private void connect(NettyTarget target, List<InetAddress> addresses, int index) {
        ChannelFuture connecting = new Bootstrap()
                .group(pool.loop())
                .channel(NioSocketChannel.class)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int)
                        Math.min(Integer.MAX_VALUE, options.connectTimeout().toMillis()))
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.SO_KEEPALIVE, true)
                // A server that refuses a request early may hang up on the rest of it; its answer is then still to be
                // read.
                .option(ChannelOption.AUTO_CLOSE, false)
                .handler(new Pipeline(target))
                .connect(new InetSocketAddress(
                        addresses.get(index), target.address().port()));
        connecting.addListener(done -> {
            if (done.isSuccess()) {
                afterTls(target, connecting.channel());
            } else if (index + 1 < addresses.size()) {
                connect(target, addresses, index + 1);
            } else {
                fail(target, done.cause());
            }
        });
    }

    private void afterTls(NettyTarget target, Channel channel) {
        SslHandler secure = channel.pipeline().get(SslHandler.class);
        NettyConnection connection = channel.pipeline().get(NettyConnection.class);
        if (secure == null) {
            connected(target, connection);
            return;
        }
        secure.handshakeFuture().addListener(done -> {
            if (done.isSuccess()) {
                connected(target, connection);
            } else {
                var unused = channel.close();
                fail(target, done.cause());
            }
        });
    }

    private void connected(NettyTarget target, NettyConnection connection) {
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

    /** HTTP/1.1 and nothing else: neither an offer in TLS nor an upgrade in the clear. */
    private final class Pipeline extends ChannelInitializer<Channel> {
        private final NettyTarget target;

        Pipeline(NettyTarget target) {
            this.target = target;
        }

        @Override
        protected void initChannel(Channel channel) {
            ChannelPipeline pipeline = channel.pipeline();
            if (target.address().isHttps()) {
                pipeline.addLast(tls.handler(target.address()));
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
