/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.internal.http.BaseUrl;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One server, as one event loop knows it: idle connections, and calls that wait, oldest first. Used on the loop only. */
final class NettyTarget {
    /** Connections being made. */
    int connecting;

    private final BaseUrl.Target address;
    private final Deque<NettyConnection> idle = new ArrayDeque<>();
    private final Set<NettyExchange> waiting = new LinkedHashSet<>();

    NettyTarget(BaseUrl.Target address) {
        this.address = address;
    }

    BaseUrl.Target address() {
        return address;
    }

    int waiting() {
        return waiting.size();
    }

    void enqueue(NettyExchange exchange) {
        waiting.add(exchange);
    }

    void remove(NettyExchange exchange) {
        waiting.remove(exchange);
    }

    @Nullable
    NettyExchange pollWaiting() {
        Iterator<NettyExchange> iterator = waiting.iterator();
        if (!iterator.hasNext()) {
            return null;
        }
        NettyExchange first = iterator.next();
        iterator.remove();
        return first;
    }

    /** The connection that was used last: the others may then go unused long enough to be closed. */
    @Nullable
    NettyConnection takeIdle() {
        NettyConnection connection;
        while ((connection = idle.poll()) != null) {
            if (connection.isUsable()) {
                return connection;
            }
        }
        return null;
    }

    void putIdle(NettyConnection connection) {
        connection.idleSince(System.nanoTime());
        idle.push(connection);
    }

    void removeIdle(NettyConnection connection) {
        idle.remove(connection);
    }

    boolean hasIdle() {
        return !idle.isEmpty();
    }

    /** Takes the connection that has been idle longest, if it has been since {@code nanoTime} or before. */
    @Nullable
    NettyConnection pollOldestIdle(long nanoTime) {
        NettyConnection oldest = idle.peekLast();
        boolean old = oldest != null && (nanoTime == Long.MAX_VALUE || oldest.idleSince() - nanoTime <= 0);
        return old ? idle.pollLast() : null;
    }
}
