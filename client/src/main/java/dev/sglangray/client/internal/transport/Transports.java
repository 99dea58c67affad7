/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.HttpTransport;
import java.net.Proxy;
import org.jspecify.annotations.Nullable;

/** The transports of a client, each made when it is first needed. Thread-safe. */
public final class Transports {
    private final ClientOptions options;
    private final OkHttpTransport waiting;
    private volatile @Nullable HttpTransport events;
    private boolean closed;

    public Transports(ClientOptions options) {
        this.options = options;
        this.waiting = new OkHttpTransport(options);
    }

    /** For threads that wait and for control calls. */
    public HttpTransport waiting() {
        return waiting;
    }

    /** For asynchronous, batch and streaming calls. */
    public HttpTransport events() {
        HttpTransport made = events;
        return made == null ? makeEvents() : made;
    }

    /** Whether waiting for {@link #events} on this thread would wait for ever. */
    public boolean isEventThread() {
        return events instanceof NettyTransport loops && loops.isEventLoopThread();
    }

    public synchronized void close() {
        closed = true;
        waiting.close();
        if (events != null) {
            events.close();
        }
    }

    private synchronized HttpTransport makeEvents() {
        HttpTransport made = events;
        if (made == null) {
            made = usesEventLoops() && !closed ? new NettyTransport(options) : waiting;
            events = made;
        }
        return made;
    }

    private boolean usesEventLoops() {
        return switch (options.transport()) {
            case THREADS -> false;
            case EVENT_LOOP -> true;
            case AUTO -> options.proxy().type() == Proxy.Type.DIRECT && hasNetty();
        };
    }

    private static boolean hasNetty() {
        try {
            Class.forName("io.netty.handler.codec.http.HttpClientCodec", false, Transports.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }
}
