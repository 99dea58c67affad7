/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** One connection, which carries one call at a time. Runs on its event loop. */
final class NettyConnection extends ChannelInboundHandlerAdapter {
    private final ClientOptions options;
    private final NettyPool pool;
    private final NettyTarget target;
    private @Nullable Channel channel;
    private @Nullable NettyExchange current;
    private boolean established;
    private boolean keepAlive;
    private boolean informational;
    private boolean headSeen;
    private boolean wanted;
    private long idleSince;

    NettyConnection(ClientOptions options, NettyPool pool, NettyTarget target) {
        this.options = options;
        this.pool = pool;
        this.target = target;
    }

    NettyTarget target() {
        return target;
    }

    boolean isUsable() {
        return channel != null && channel.isActive();
    }

    /** From now on the pool counts it. */
    void established() {
        established = true;
    }

    long idleSince() {
        return idleSince;
    }

    void idleSince(long nanoTime) {
        idleSince = nanoTime;
    }

    void close() {
        if (channel != null) {
            var unused = channel.close();
        }
    }

    void send(NettyExchange exchange) {
        Channel open = channel;
        if (open == null || exchange.isDone()) {
            pool.release(this);
            return;
        }
        current = exchange;
        keepAlive = false;
        informational = false;
        headSeen = false;
        wanted = false;
        exchange.sentOn(this);
        if (exchange.isPaced()) {
            open.config().setAutoRead(false);
            open.read();
        }
        open.writeAndFlush(request(exchange.call())).addListener(written -> {
            if (!written.isSuccess() && current == exchange) {
                lost(written.cause());
            }
        });
    }

    /** Reads some more for a paced call. */
    void read() {
        wanted = true;
        if (channel != null) {
            channel.read();
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        channel = context.channel();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        try {
            NettyExchange exchange = current;
            if (exchange == null) {
                close(); // Nobody asked for anything.
            } else {
                read(exchange, (HttpObject) message);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext context) {
        NettyExchange exchange = current;
        if (exchange != null && exchange.isPaced() && (!headSeen || wanted)) {
            context.read();
        }
        context.fireChannelReadComplete();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        if (cause instanceof IOException) {
            lost(cause);
        } else {
            broken(cause);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        lost(new IOException("the server closed the connection"));
        if (established) {
            established = false;
            pool.closed(this);
        }
    }

    private void read(NettyExchange exchange, HttpObject message) {
        if (message.decoderResult().isFailure()) {
            Throwable cause = message.decoderResult().cause();
            if (cause instanceof PrematureChannelClosureException) {
                lost(cause);
            } else {
                broken(cause);
            }
            return;
        }
        exchange.heard();
        if (message instanceof HttpResponse response) {
            informational = response.status().codeClass() == HttpStatusClass.INFORMATIONAL;
            if (!informational) {
                headSeen = true;
                keepAlive = HttpUtil.isKeepAlive(response);
                exchange.head(new AnswerHead(response.status().code(), response.headers()::get));
            }
        }
        if (message instanceof HttpContent content && !informational) {
            ByteBuf bytes = content.content();
            if (bytes.isReadable()) {
                wanted = false;
                for (var piece : bytes.nioBuffers()) {
                    exchange.bytes(piece);
                }
            }
            if (message instanceof LastHttpContent) {
                finish(exchange);
            }
        }
    }

    private void finish(NettyExchange exchange) {
        current = null;
        Channel open = channel;
        if (open != null && keepAlive && !exchange.isDone()) {
            if (exchange.isPaced()) {
                open.config().setAutoRead(true);
            }
            // First the connection, then the caller: what it sends next finds the connection free.
            pool.release(this);
        } else {
            close();
        }
        exchange.end();
    }

    private void lost(Throwable cause) {
        NettyExchange exchange = current;
        current = null;
        close();
        if (exchange != null) {
            exchange.fail(Failures.lost(options, exchange.call(), cause));
        }
    }

    private void broken(Throwable cause) {
        NettyExchange exchange = current;
        current = null;
        close();
        if (exchange != null) {
            exchange.fail(Failures.notHttp(options, exchange.call(), cause));
        }
    }

    private FullHttpRequest request(HttpCall call) {
        byte[] body = call.body();
        // The values were checked when they were taken.
        FullHttpRequest request = new DefaultFullHttpRequest(
                HttpVersion.HTTP_1_1,
                HttpMethod.valueOf(call.method()),
                call.baseUrl().target(call.path()),
                body == null ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(body),
                DefaultHttpHeadersFactory.headersFactory().withValidation(false),
                DefaultHttpHeadersFactory.trailersFactory());
        HttpHeaders headers = request.headers();
        headers.set(HttpHeaderNames.HOST, call.baseUrl().hostHeader());
        call.headers().forEach(headers::set);
        String authorization = options.apiKey().authorization();
        if (authorization != null) {
            headers.set(HttpHeaderNames.AUTHORIZATION, authorization);
        }
        if (options.compression()) {
            headers.set(HttpHeaderNames.ACCEPT_ENCODING, "gzip");
        }
        if (body != null) {
            headers.setInt(HttpHeaderNames.CONTENT_LENGTH, body.length);
        }
        return request;
    }
}
