/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.CompletionHandler;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows within milliseconds when nothing listens any more where an engine did, whoever died: an idle connection to it ends, and
 * a new one is refused. Ray needs two seconds to tell that a worker's process is gone, in which the router would go on trying
 * the engine that went with it. Says nothing where it cannot know, as when a network is cut. Safe for use by many threads.
 */
final class EngineLine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EngineLine.class);

    private static final int CONNECT_MS = 5000;
    /** Who ends idle connections sooner than this cannot be watched so. */
    private static final long SHORTEST_NANOS = Duration.ofSeconds(2).toNanos();

    private final Executor executor;
    private final Consumer<String> onRefused;
    private final Set<String> watched = ConcurrentHashMap.newKeySet();
    private final Set<AsynchronousSocketChannel> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /**
     * Watches nobody yet.
     *
     * @param executor runs what may block
     * @param onRefused takes the URL where nothing listens any more
     */
    EngineLine(Executor executor, Consumer<String> onRefused) {
        this.executor = executor;
        this.onRefused = onRefused;
    }

    /** Watches an engine that serves, until it does no more; harmless when repeated. */
    void watch(String url) {
        if (!closed && watched.add(url)) {
            executor.execute(() -> look(url));
        }
    }

    private void look(String url) {
        try {
            AsynchronousSocketChannel channel = AsynchronousSocketChannel.open();
            open.add(channel);
            channel.connect(address(url), channel, new CompletionHandler<Void, AsynchronousSocketChannel>() {
                @Override
                public void completed(Void nothing, AsynchronousSocketChannel connected) {
                    awaitEnd(url, connected, System.nanoTime());
                }

                @Override
                public void failed(Throwable why, AsynchronousSocketChannel unconnected) {
                    forget(unconnected);
                    watched.remove(url);
                }
            });
            if (closed) {
                forget(channel);
            }
        } catch (IOException | RuntimeException e) {
            watched.remove(url);
            LOG.debug("Cannot watch {}: {}", url, e.toString());
        }
    }

    private void awaitEnd(String url, AsynchronousSocketChannel channel, long since) {
        channel.read(ByteBuffer.allocate(64), channel, new CompletionHandler<Integer, AsynchronousSocketChannel>() {
            @Override
            public void completed(Integer count, AsynchronousSocketChannel ended) {
                over(url, ended, since);
            }

            @Override
            public void failed(Throwable why, AsynchronousSocketChannel ended) {
                over(url, ended, since);
            }
        });
    }

    private void over(String url, AsynchronousSocketChannel channel, long since) {
        forget(channel);
        watched.remove(url);
        if (closed) {
            return;
        }
        executor.execute(() -> {
            if (isRefused(url)) {
                onRefused.accept(url);
            } else if (System.nanoTime() - since > SHORTEST_NANOS) {
                watch(url);
            }
        });
    }

    /** Whether it is certain that nothing listens there. */
    static boolean isRefused(String url) {
        try (Socket socket = new Socket()) {
            socket.connect(address(url), CONNECT_MS);
            return false;
        } catch (ConnectException e) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static InetSocketAddress address(String url) {
        URI uri = URI.create(url);
        String host = uri.getHost();
        return new InetSocketAddress(host.startsWith("[") ? host.substring(1, host.length() - 1) : host, uri.getPort());
    }

    private void forget(AsynchronousSocketChannel channel) {
        open.remove(channel);
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("A connection did not close: {}", e.toString());
        }
    }

    @Override
    public void close() {
        closed = true;
        open.forEach(this::forget);
    }
}
