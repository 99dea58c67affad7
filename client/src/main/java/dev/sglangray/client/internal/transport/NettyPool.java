/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.InferenceException;
import dev.sglangray.client.internal.http.BaseUrl;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.Failures;
import dev.sglangray.client.internal.http.HttpCall;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The connections of one event loop and the calls that wait for one. All methods but the constructor, {@link #loop} and
 * {@link #options} run on the loop.
 */
final class NettyPool {
    /** More at once overflow a server's queue of new connections, whose repair takes a second and more. */
    private static final int MAX_CONNECTING = 256;

    /** How many more calls it may carry. Guarded by the admission. */
    int freeSlots;

    private final ClientOptions options;
    private final NettyAdmission admission;
    private final EventLoop loop;
    private final NettyConnector connector;
    private final int maxConnections;
    private final Map<BaseUrl.Target, NettyTarget> targets = new HashMap<>();
    private final Set<NettyExchange> underWay = new HashSet<>();
    private int connections;
    private boolean sweeping;
    private boolean closed;

    NettyPool(ClientOptions options, NettyAdmission admission, EventLoop loop, Executor names, int maxConnections) {
        this.options = options;
        this.admission = admission;
        this.freeSlots = maxConnections;
        this.loop = loop;
        this.connector = new NettyConnector(options, this, names);
        this.maxConnections = maxConnections;
    }

    ClientOptions options() {
        return options;
    }

    EventLoop loop() {
        return loop;
    }

    void submit(NettyExchange exchange) {
        if (exchange.isDone()) {
            return;
        }
        if (closed) {
            exchange.fail(Failures.closed());
            return;
        }
        underWay.add(exchange);
        NettyTarget target = targets.computeIfAbsent(exchange.target(), NettyTarget::new);
        NettyConnection connection = target.takeIdle();
        if (connection != null) {
            connection.send(exchange);
        } else {
            target.enqueue(exchange);
            connectMore(target);
        }
    }

    /** A call has ended, however. */
    void ended(NettyExchange exchange) {
        underWay.remove(exchange);
        NettyTarget target = targets.get(exchange.target());
        if (target != null) {
            target.remove(exchange);
        }
        admission.freed(this);
    }

    /** A connection has carried its call to the end, or is new. */
    void release(NettyConnection connection) {
        if (closed) {
            connection.close();
            return;
        }
        NettyTarget target = connection.target();
        NettyExchange next = target.pollWaiting();
        if (next != null) {
            connection.send(next);
            return;
        }
        target.putIdle(connection);
        startSweeping();
        serveOthers(target);
    }

    /** A connection is gone. */
    void closed(NettyConnection connection) {
        connections--;
        connection.target().removeIdle(connection);
        connectMore(connection.target());
        serveOthers(connection.target());
    }

    /** A new connection is there. */
    void connected(NettyConnection connection) {
        connection.target().connecting--;
        release(connection);
        connectMore(connection.target());
    }

    /** A new connection could not be made: one of the calls that wait for it fails. */
    void connectFailed(NettyTarget target, Function<HttpCall, InferenceException> failure) {
        target.connecting--;
        connections--;
        NettyExchange victim = target.pollWaiting();
        if (victim != null) {
            victim.fail(failure.apply(victim.call()));
        }
        connectMore(target);
        serveOthers(target);
    }

    void close() {
        closed = true;
        for (NettyExchange exchange : List.copyOf(underWay)) {
            exchange.fail(Failures.closed());
        }
        for (NettyTarget target : targets.values()) {
            NettyConnection connection;
            while ((connection = target.takeIdle()) != null) {
                connection.close();
            }
        }
    }

    private void connectMore(NettyTarget target) {
        while (!closed && target.connecting < Math.min(MAX_CONNECTING, target.waiting())) {
            if (connections >= maxConnections && !dropIdle()) {
                return;
            }
            connections++;
            target.connecting++;
            connector.connect(target);
        }
    }

    private void serveOthers(NettyTarget served) {
        if (targets.size() > 1) {
            for (NettyTarget target : new ArrayList<>(targets.values())) {
                if (target != served) {
                    connectMore(target);
                }
            }
        }
    }

    /** Makes room for a connection to another server; the count falls when the connection is closed. */
    private boolean dropIdle() {
        for (NettyTarget target : targets.values()) {
            NettyConnection oldest = target.pollOldestIdle(Long.MAX_VALUE);
            if (oldest != null) {
                oldest.close();
                return connections < maxConnections;
            }
        }
        return false;
    }

    private void startSweeping() {
        if (!sweeping) {
            sweeping = true;
            var unused = loop.schedule(this::sweep, 1, TimeUnit.SECONDS);
        }
    }

    private void sweep() {
        long unusedSince = System.nanoTime() - ClientOptions.IDLE_TIME.toNanos();
        boolean left = false;
        for (NettyTarget target : targets.values()) {
            @Nullable NettyConnection connection;
            while ((connection = target.pollOldestIdle(unusedSince)) != null) {
                connection.close();
            }
            left |= target.hasIdle();
        }
        sweeping = false;
        if (left && !closed) {
            startSweeping();
        }
    }
}
