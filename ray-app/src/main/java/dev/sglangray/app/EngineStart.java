/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Starts engines whose actors exist, registers them and waits for it. Stateless. */
final class EngineStart {
    static final Duration REGISTER_DEADLINE = Duration.ofMinutes(6);

    private EngineStart() {}

    /** Starts the engines of a group, or of a view of it, in an order; each future completes when its engine serves. */
    static List<CompletableFuture<?>> start(ServerGroup group, StartOrder order, LaunchListener listener) {
        AtomicInteger ready = new AtomicInteger();
        return order.start(rank -> group.on(rank)
                .initServer()
                .toCompletableFuture()
                .thenAccept(urls -> listener.workerReady(
                        group.name() + ":" + rank, urls.get(0), ready.incrementAndGet(), group.size())));
    }

    /** Registers each engine as soon as it and the router are healthy: it need not wait for its slower siblings. */
    static List<CompletableFuture<?>> register(
            CompletableFuture<?> routerReady,
            List<CompletableFuture<?>> enginesReady,
            @Nullable ServerGroup servers,
            @Nullable RouterGroup router) {
        List<CompletableFuture<?>> registered = new ArrayList<>();
        if (servers != null && router != null) {
            for (int i = 0; i < enginesReady.size(); i++) {
                int rank = servers.ranks().get(i);
                registered.add(CompletableFuture.allOf(routerReady, enginesReady.get(i))
                        .thenCompose(both -> servers.on(rank).endpoints().toCompletableFuture())
                        .thenCompose(endpoints ->
                                router.registerServer(endpoints.get(0)).toCompletableFuture()));
            }
        }
        return registered;
    }

    /** Waits for all of some; the first failure among them or among the watched ends the wait. */
    static void await(
            List<CompletableFuture<?>> wanted, List<CompletableFuture<?>> watched, Duration deadline, String what) {
        CompletableFuture<Object> failed = new CompletableFuture<>();
        for (List<CompletableFuture<?>> futures : List.of(wanted, watched)) {
            for (CompletableFuture<?> future : futures) {
                CompletableFuture<?> unused = future.exceptionally(failure -> {
                    failed.completeExceptionally(failure);
                    return null;
                });
            }
        }
        CompletableFuture<?> done =
                CompletableFuture.anyOf(CompletableFuture.allOf(wanted.toArray(CompletableFuture<?>[]::new)), failed);
        try {
            done.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LaunchException("the launch was interrupted; what it had started is ended", e);
        } catch (TimeoutException e) {
            throw new LaunchException(
                    "engines and router were not all " + what + " within " + deadline.toSeconds() + " s", e);
        } catch (ExecutionException e) {
            throw unchecked(e.getCause() == null ? e : e.getCause());
        }
    }

    private static RuntimeException unchecked(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof RuntimeException known
                ? known
                : new LaunchException("the launch failed: " + cause, cause);
    }
}
