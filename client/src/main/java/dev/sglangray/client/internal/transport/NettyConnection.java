/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.InferenceException;
import dev.sglangray.client.internal.http.AnswerHead;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.Failures;
import dev.sglangray.client.internal.http.HttpCall;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.CodecException;
import io.netty.handler.codec.PrematureChannelClosureException;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.Proxy;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** One connection, which carries one call at a time. Runs on its event loop. */
final class NettyConnection extends ChannelInboundHandlerAdapter {
    /** A large body is written in slices, so that a server that takes some of it is seen not to be silent. */
    private static final int SLICE = 256 * 1024;

    /** How long an answer is waited for that came before the server hung up: it is here already, or never comes. */
    private static final long LAST_WORDS_MILLIS = 1000;

    private final ClientOptions options;
    private final NettyPool pool;
    private final NettyTarget target;
    private @Nullable Channel channel;
    private @Nullable NettyExchange current;
    private boolean established;
    private boolean keepAlive;
    private boolean sent;
    private @Nullable Throwable notSent;
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
        sent = false;
        notSent = null;
        informational = false;
        headSeen = false;
        wanted = false;
        exchange.sentOn(this);
        if (exchange.isPaced()) {
            open.config().setAutoRead(false);
            open.read();
        }
        write(open, exchange).addListener(written -> {
            if (current != exchange) {
                return;
            }
            if (written.isSuccess()) {
                sent = true;
            } else {
                notSent(open, exchange, written.cause());
            }
        });
    }

    private void notSent(Channel open, NettyExchange exchange, Throwable cause) {
        notSent = cause;
        if (!open.isActive()) {
            lost(cause);
        } else if (!headSeen) {
            var unused = pool.loop()
                    .schedule(
                            () -> {
                                if (current == exchange && !headSeen) {
                                    lost(cause);
                                }
                            },
                            LAST_WORDS_MILLIS,
                            TimeUnit.MILLISECONDS);
        }
    }

    /** Whether what the server sends is read, and its silence therefore its own. */
    boolean isListening() {
        NettyExchange exchange = current;
        return exchange == null || !exchange.isPaced() || !headSeen || wanted;
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
                close(); // No request is under way.
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
        } else if (cause instanceof CodecException && !Failures.isOutOfMemory(cause)) {
            broken(cause);
        } else {
            fail(call -> Failures.unexpected(options, call, cause));
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
            // A switch of protocols that was not asked for is no promise of another answer.
            boolean switching = response.status().code() == HttpResponseStatus.SWITCHING_PROTOCOLS.code();
            informational = response.status().codeClass() == HttpStatusClass.INFORMATIONAL && !switching;
            if (!informational) {
                headSeen = true;
                keepAlive = HttpUtil.isKeepAlive(response) && !switching;
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
        // With half a request on it a connection cannot carry another one.
        if (open != null && keepAlive && sent && !exchange.isDone()) {
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
        Throwable first = notSent == null ? cause : notSent;
        fail(call -> Failures.lost(options, call, first));
    }

    private void broken(Throwable cause) {
        fail(call -> Failures.notHttp(options, call, cause));
    }

    private void fail(Function<HttpCall, InferenceException> failure) {
        NettyExchange exchange = current;
        current = null;
        close();
        if (exchange != null) {
            exchange.fail(failure.apply(exchange.call()));
        }
    }

    private ChannelFuture write(Channel open, NettyExchange exchange) {
        HttpCall call = exchange.call();
        byte[] body = call.body() == null ? new byte[0] : call.body();
        HttpMethod method = HttpMethod.valueOf(call.method());
        // A proxy for HTTP takes the whole URL.
        boolean whole =
                options.proxy().type() == Proxy.Type.HTTP && !target.address().isHttps();
        String path =
                whole ? call.baseUrl().resolve(call.path()) : call.baseUrl().target(call.path());
        HttpHeaders headers = headers(call);
        if (body.length <= SLICE) {
            return open.writeAndFlush(new DefaultFullHttpRequest(
                    HttpVersion.HTTP_1_1,
                    method,
                    path,
                    Unpooled.wrappedBuffer(body),
                    headers,
                    DefaultHttpHeadersFactory.trailersFactory().newHeaders()));
        }
        HttpRequest request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, method, path, headers);
        var unused = open.write(request);
        int at = 0;
        for (; body.length - at > SLICE; at += SLICE) {
            open.write(new DefaultHttpContent(Unpooled.wrappedBuffer(body, at, SLICE)))
                    .addListener(written -> {
                        if (written.isSuccess()) {
                            exchange.heard();
                        }
                    });
        }
        return open.writeAndFlush(new DefaultLastHttpContent(Unpooled.wrappedBuffer(body, at, body.length - at)));
    }

    private HttpHeaders headers(HttpCall call) {
        byte[] body = call.body();
        // The values were checked when they were taken.
        HttpHeaders headers =
                DefaultHttpHeadersFactory.headersFactory().withValidation(false).newHeaders();
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
        return headers;
    }
}
