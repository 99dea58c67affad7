/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.RequestCancelledException;
import dev.sglangray.client.internal.http.AnswerHandler;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.HttpCall;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Sends HTTP calls, each once, on Netty's event loops: no retries, no reading of bodies. A call under way costs a socket and a little
 * memory, not a thread. Each loop has connections of its own; all that the loops share is {@link NettyAdmission}. Thread-safe.
 */
public final class NettyTransport implements AutoCloseable {
    private static final int NAME_THREADS = 4;

    private final IoEventLoopGroup group;
    private final List<NettyPool> pools = new ArrayList<>();
    private final NettyAdmission admission = new NettyAdmission();
    private final ExecutorService names;
    private final Set<Runnable> paused = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    public NettyTransport(ClientOptions options) {
        int loops = Math.min(options.eventLoops(), options.maxConnections());
        this.group = new MultiThreadIoEventLoopGroup(
                loops, new DefaultThreadFactory("inference-loop", true), NioIoHandler.newFactory());
        this.names = nameThreads();
        for (EventExecutor loop : group) {
            int left = options.maxConnections() % loops - pools.size();
            int share = options.maxConnections() / loops + (left > 0 ? 1 : 0);
            pools.add(new NettyPool(options, admission, (EventLoop) loop, names, share));
        }
    }

    /**
     * Starts a call and returns at once. The handler gets the answer on an event loop, and exactly one end.
     *
     * @param paced whether the body is read only as far as {@link NettyExchange#read} asks; otherwise it flows
     * @throws IllegalArgumentException if the path cannot be sent
     */
    public NettyExchange start(HttpCall call, boolean paced, AnswerHandler handler) {
        var unusedTarget = call.baseUrl().target(call.path());
        NettyExchange exchange = new NettyExchange(call, paced, handler, admission, admission.home(pools));
        admission.enter(exchange, pools);
        return exchange;
    }

    /**
     * Runs {@code action} once on an event loop, after a pause that may be zero; if the transport is closed meanwhile, at once. It must
     * not block and must not throw. Not on the timer that the JVM shares: an interceptor or listener could hold up every timeout there.
     */
    public void after(Duration pause, Runnable action) {
        FutureTask<?> once = new FutureTask<>(action, null); // Each is its own, whatever it runs.
        paused.add(once);
        if (closed || pause.isZero()) {
            resume(once);
            return;
        }
        try {
            var unused = group.schedule(() -> resume(once), pause.toNanos(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            resume(once);
        }
    }

    private void resume(Runnable once) {
        if (!paused.remove(once)) {
            return;
        }
        try {
            group.execute(once);
        } catch (RejectedExecutionException | OutOfMemoryError e) {
            // Closed, or no more threads: a call must end all the same.
            once.run();
        }
    }

    /** Whether the calling thread is one of its event loops: waiting there for an answer would wait for ever. */
    public boolean isEventLoopThread() {
        return pools.stream().anyMatch(pool -> pool.loop().inEventLoop());
    }

    /** Ends the calls under way with a {@link RequestCancelledException} and frees sockets and threads. Idempotent. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        paused.forEach(this::resume);
        admission.close().forEach(NettyExchange::refuse);
        for (NettyPool pool : pools) {
            try {
                pool.loop().execute(pool::close);
            } catch (RejectedExecutionException e) {
                return;
            }
        }
        var unused = group.shutdownGracefully(0, 2, TimeUnit.SECONDS);
        names.shutdown();
    }

    private static ExecutorService nameThreads() {
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                NAME_THREADS,
                NAME_THREADS,
                5,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                new DefaultThreadFactory("inference-names", true));
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }
}
