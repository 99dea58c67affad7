/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.actor;

import dev.sglangray.config.thread.Threads;
import dev.sglangray.workers.loop.EventLoop;
import dev.sglangray.workers.loop.ThreadLoop;
import dev.sglangray.workers.protocol.WorkerFailure;
import dev.sglangray.workers.ray.ActorHandles;
import dev.sglangray.workers.ray.ObjectRefPoller;
import dev.sglangray.workers.registry.WorkersPort;
import io.ray.api.ActorHandle;
import io.ray.api.exception.RayActorException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.CompletionHandler;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server workers, as actors of Ray, and the ports of their engines. Nothing here polls: a connection's end and the failure of
 * a pending call are events. Safe for use by many threads.
 */
final class RayWorkersPort implements WorkersPort, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RayWorkersPort.class);
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int CONNECT_MS = 5000;
    private static final int THREADS = 16;

    private final ThreadLoop loop;
    /** A fleet has more engines than a process may have threads; without a limit each would have one at a restart. */
    private final Executor questions = Threads.pool("sglang-ray-ask", THREADS, THREADS, new LinkedBlockingQueue<>());

    private final Executor connects = Threads.pool("sglang-ray-connect", THREADS, THREADS, new LinkedBlockingQueue<>());
    private final Set<AsynchronousSocketChannel> open = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    RayWorkersPort(ThreadLoop loop) {
        this.loop = loop;
    }

    private static Optional<ActorHandle<SGLangServerWorker>> find(String actor) {
        return ActorHandles.find(actor);
    }

    @Override
    public CompletableFuture<Boolean> askForReport(String actor) {
        CompletableFuture<Boolean> asked = loop.block(
                        questions,
                        () -> find(actor)
                                .map(worker -> ObjectRefPoller.shared()
                                        .watch(worker.task(SGLangServerWorker::reportAgain)
                                                .remote())))
                .thenCompose(call -> call.isEmpty() ? CompletableFuture.completedFuture(false) : loop.here(call.get()));
        return loop.within(PATIENCE, asked, () -> new WorkerFailure(actor + " does not answer"));
    }

    @Override
    public CompletableFuture<String> awaitDeath(String actor) {
        return loop.block(
                        questions,
                        () -> find(actor)
                                .map(worker -> ObjectRefPoller.forWatches()
                                        .watch(worker.task(SGLangServerWorker::watch)
                                                .remote())))
                .thenCompose(call -> call.isEmpty()
                        ? CompletableFuture.completedFuture("Ray has no such actor any more")
                        : loop.here(call.get())
                                .handle((answer, failure) -> {
                                    if (failure == null) {
                                        return answer;
                                    }
                                    Throwable cause = EventLoop.unwrapped(failure);
                                    if (cause instanceof RayActorException) {
                                        return "its process is gone: " + cause.getMessage();
                                    }
                                    throw new WorkerFailure(String.valueOf(cause));
                                })
                                // It answers now and then while it lives; after its shutdown there is nothing to
                                // suspect.
                                .thenCompose(answer -> switch (answer) {
                                    case "alive" -> closed ? new CompletableFuture<String>() : awaitDeath(actor);
                                    case "ended" -> new CompletableFuture<String>();
                                    default -> CompletableFuture.completedFuture(answer);
                                }));
    }

    @Override
    public CompletableFuture<Void> awaitDisconnect(String url) {
        CompletableFuture<Void> ended = new CompletableFuture<>();
        try {
            AsynchronousSocketChannel channel = AsynchronousSocketChannel.open();
            open.add(channel);
            CompletableFuture<Void> unused = ended.whenComplete((nothing, failure) -> forget(channel));
            if (closed) {
                ended.complete(null);
            } else {
                connect(url, channel, ended);
            }
        } catch (IOException | RuntimeException e) {
            LOG.debug("Cannot watch {}: {}", url, e.toString());
            ended.complete(null);
        }
        return loop.here(ended);
    }

    private static void connect(String url, AsynchronousSocketChannel channel, CompletableFuture<Void> ended) {
        channel.connect(address(url), null, new CompletionHandler<Void, Void>() {
            @Override
            public void completed(Void nothing, Void attachment) {
                channel.read(ByteBuffer.allocate(64), null, new CompletionHandler<Integer, Void>() {
                    @Override
                    public void completed(Integer count, Void none) {
                        ended.complete(null);
                    }

                    @Override
                    public void failed(Throwable why, Void none) {
                        ended.complete(null);
                    }
                });
            }

            @Override
            public void failed(Throwable why, Void attachment) {
                ended.complete(null);
            }
        });
    }

    @Override
    public CompletableFuture<Boolean> isRefused(String url) {
        return loop.block(connects, () -> refuses(url));
    }

    /** Whether it is certain that nothing listens there. */
    static boolean refuses(String url) {
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

    /** Watches no connection any more. */
    @Override
    public void close() {
        closed = true;
        open.forEach(this::forget);
    }
}
