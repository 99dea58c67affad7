/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Gives each call a loop. A loop carries as many calls as its share of the connections; a call that finds all of them taken waits for
 * the first that becomes free, on whichever loop. Thread-safe.
 */
final class NettyAdmission {
    private final AtomicInteger turn = new AtomicInteger();
    private final Set<NettyExchange> waiting = new LinkedHashSet<>();
    private boolean closed;

    /** Starts the call, now or later, or tells it that the client is closed. */
    void enter(NettyExchange exchange, List<NettyPool> pools) {
        NettyPool pool = null;
        synchronized (this) {
            if (!closed && exchange.startTimer()) {
                pool = freest(pools, exchange.home());
                if (pool == null) {
                    waiting.add(exchange);
                    return;
                }
                pool.freeSlots--;
                exchange.runsOn(pool);
            }
        }
        if (pool == null) {
            exchange.refuse();
        } else if (pool.loop().inEventLoop()) {
            pool.submit(exchange);
        } else {
            submit(pool, exchange);
        }
    }

    /** The loop that the caller runs on, if it is one of ours, because it needs no wake-up; or else the next in turn. */
    NettyPool home(List<NettyPool> pools) {
        for (NettyPool pool : pools) {
            if (pool.loop().inEventLoop()) {
                return pool;
            }
        }
        return pools.get(Math.floorMod(turn.getAndIncrement(), pools.size()));
    }

    /** Takes a call back that waits still; false if it is on its way. */
    synchronized boolean leave(NettyExchange exchange) {
        return waiting.remove(exchange);
    }

    /** A call on this loop has ended. */
    void freed(NettyPool pool) {
        NettyExchange next;
        synchronized (this) {
            Iterator<NettyExchange> first = waiting.iterator();
            if (!first.hasNext()) {
                pool.freeSlots++;
                return;
            }
            next = first.next();
            first.remove();
            next.runsOn(pool);
        }
        submit(pool, next);
    }

    /** Takes no more calls, and gives back those that wait. */
    synchronized List<NettyExchange> close() {
        closed = true;
        List<NettyExchange> left = List.copyOf(waiting);
        waiting.clear();
        return left;
    }

    private static void submit(NettyPool pool, NettyExchange exchange) {
        try {
            pool.loop().execute(() -> pool.submit(exchange));
        } catch (RejectedExecutionException e) {
            exchange.refuse();
        }
    }

    private static @Nullable NettyPool freest(List<NettyPool> pools, NettyPool home) {
        if (home.freeSlots > 0 && home.loop().inEventLoop()) {
            return home;
        }
        NettyPool best = home;
        for (NettyPool pool : pools) {
            if (pool.freeSlots > best.freeSlots) {
                best = pool;
            }
        }
        return best.freeSlots > 0 ? best : null;
    }
}
