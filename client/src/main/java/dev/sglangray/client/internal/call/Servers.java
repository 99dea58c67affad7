/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.call;

import dev.sglangray.client.ServerUnreachableException;
import dev.sglangray.client.internal.http.BaseUrl;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The servers of a client: a call goes to the one with the fewest calls under way, but not to one that was just unreachable. */
public final class Servers {
    private static final Duration AVOID = Duration.ofSeconds(1);

    private final List<Server> all;
    private final AtomicInteger turn = new AtomicInteger();

    Servers(List<BaseUrl> urls) {
        this.all = urls.stream().map(Server::new).toList();
    }

    public int size() {
        return all.size();
    }

    /** Takes a server that is not among those tried, if there is one. */
    Server take(Set<BaseUrl> tried, @Nullable BaseUrl only) {
        Server chosen = only != null ? named(only) : all.size() == 1 ? all.get(0) : best(tried);
        chosen.underWay.incrementAndGet();
        return chosen;
    }

    private Server named(BaseUrl url) {
        for (Server server : all) {
            if (server.url == url) {
                return server;
            }
        }
        return new Server(url);
    }

    private Server best(Set<BaseUrl> tried) {
        int start = Math.floorMod(turn.getAndIncrement(), all.size());
        Server best = all.get(start);
        for (int i = 1; i < all.size(); i++) {
            Server other = all.get((start + i) % all.size());
            if (other.weight(tried) < best.weight(tried)) {
                best = other;
            }
        }
        return best;
    }

    /** One server. Thread-safe. */
    static final class Server {
        private final BaseUrl url;
        private final AtomicInteger underWay = new AtomicInteger();
        private final AtomicLong failedAt = new AtomicLong(System.nanoTime() - AVOID.toNanos());

        private Server(BaseUrl url) {
            this.url = url;
        }

        public BaseUrl url() {
            return url;
        }

        /** A call has ended. */
        void release(@Nullable Throwable failure) {
            underWay.decrementAndGet();
            if (failure instanceof ServerUnreachableException) {
                failedAt.set(System.nanoTime());
            }
        }

        private long weight(Set<BaseUrl> tried) {
            long weight = underWay.get();
            if (System.nanoTime() - failedAt.get() < AVOID.toNanos()) {
                weight += 1L << 40;
            }
            return tried.contains(url) ? weight + (1L << 41) : weight;
        }
    }
}
