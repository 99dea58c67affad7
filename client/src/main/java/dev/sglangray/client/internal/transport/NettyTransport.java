/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.client.internal.transport;

import dev.sglangray.client.internal.http.AnswerHandler;
import dev.sglangray.client.internal.http.ClientOptions;
import dev.sglangray.client.internal.http.DelayedTasks;
import dev.sglangray.client.internal.http.HttpCall;
import dev.sglangray.client.internal.http.HttpTransport;
import io.netty.channel.EventLoop;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The transport on Netty's event loops: a call under way costs a socket and a little memory, not a thread. Each loop has
 * connections of its own; all that the loops share is {@link NettyAdmission}.
 */
public final class NettyTransport implements HttpTransport {
    private static final int NAME_THREADS = 4;

    private final IoEventLoopGroup group;
    private final List<NettyPool> pools = new ArrayList<>();
    private final NettyAdmission admission = new NettyAdmission();
    private final ExecutorService names;
    private final DelayedTasks pauses;
    private volatile boolean closed;

    public NettyTransport(ClientOptions options) {
        int loops = Math.min(options.eventLoops(), options.maxConnections());
        this.group = new MultiThreadIoEventLoopGroup(
                loops, new DefaultThreadFactory("inference-loop", true), NioIoHandler.newFactory());
        this.names = nameThreads();
        this.pauses = new DelayedTasks(group, group);
        NettyTls tls = new NettyTls(options);
        for (EventExecutor loop : group) {
            int left = options.maxConnections() % loops - pools.size();
            int share = options.maxConnections() / loops + (left > 0 ? 1 : 0);
            pools.add(new NettyPool(options, admission, (EventLoop) loop, tls, names, share));
        }
    }

    @Override
    public Exchange start(HttpCall call, boolean paced, AnswerHandler handler) {
        var unusedTarget = call.baseUrl().target(call.path());
        NettyExchange exchange = new NettyExchange(call, paced, handler, admission, admission.home(pools));
        admission.enter(exchange, pools);
        return exchange;
    }

    @Override
    public void after(Duration pause, Runnable action) {
        pauses.after(pause, action);
    }

    /** Whether the calling thread is one of its event loops: waiting there for an answer would wait for ever. */
    boolean isEventLoopThread() {
        for (NettyPool pool : pools) {
            if (pool.loop().inEventLoop()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        pauses.close();
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
