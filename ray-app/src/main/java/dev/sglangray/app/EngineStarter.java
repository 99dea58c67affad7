/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app;

import dev.sglangray.placement.plan.EnginePart;
import dev.sglangray.placement.plan.EnginePlan;
import dev.sglangray.workers.RouterGroup;
import dev.sglangray.workers.ServerGroup;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Starts engines whose actors exist, registers them and waits for it. Stateless. */
final class EngineStarter {
    /** Beyond the time of one registration, for the way to the router's worker and back. */
    private static final Duration ALLOWANCE = Duration.ofMinutes(1);

    private EngineStarter() {}

    /** Starts the engines of a group, or of a view of it, all at once; each future completes when its engine serves. */
    static List<CompletableFuture<?>> start(ServerGroup group, LaunchListener listener) {
        AtomicInteger ready = new AtomicInteger();
        List<CompletableFuture<?>> started = new ArrayList<>();
        for (int rank : group.ranks()) {
            started.add(group.on(rank)
                    .initServer()
                    .toCompletableFuture()
                    .thenAccept(urls -> listener.workerReady(
                            group.name() + ":" + rank, urls.get(0), ready.incrementAndGet(), group.size())));
        }
        return started;
    }

    /**
     * How long engines that start at once may take together. Those that share an accelerator start one after the other: their
     * workers see to it.
     *
     * @param one how long one may take
     */
    static Duration timeout(List<EnginePlan> engines, Duration one) {
        return one.multipliedBy(Math.max(1, mostTogether(engines)));
    }

    /** The size of the largest set of engines that are linked by accelerators that they share. */
    private static int mostTogether(List<EnginePlan> engines) {
        Map<Piece, List<Integer>> users = new HashMap<>();
        for (int engine = 0; engine < engines.size(); engine++) {
            for (Piece piece : pieces(engines.get(engine))) {
                users.computeIfAbsent(piece, key -> new ArrayList<>()).add(engine);
            }
        }
        int most = 0;
        boolean[] seen = new boolean[engines.size()];
        for (int first = 0; first < engines.size(); first++) {
            int together = 0;
            Deque<Integer> linked = new ArrayDeque<>(List.of(first));
            while (!linked.isEmpty()) {
                int engine = linked.pop();
                if (!seen[engine]) {
                    seen[engine] = true;
                    together++;
                    // A piece links its engines once.
                    pieces(engines.get(engine)).forEach(piece -> linked.addAll(takeAll(users, piece)));
                }
            }
            most = Math.max(most, together);
        }
        return most;
    }

    private static List<Integer> takeAll(Map<Piece, List<Integer>> users, Piece piece) {
        List<Integer> engines = users.remove(piece);
        return engines == null ? List.of() : engines;
    }

    private static List<Piece> pieces(EnginePlan engine) {
        List<Piece> pieces = new ArrayList<>();
        for (EnginePart part : engine.parts()) {
            part.placement()
                    .localHardwareRanks()
                    .forEach(piece -> pieces.add(new Piece(part.node().rank(), piece)));
        }
        return pieces;
    }

    private record Piece(int node, int accelerator) {}

    /** How long engines that start together may take until the router sends to all of them. */
    static Duration registerDeadline(int engines) {
        return RouterGroup.registrationTimeout(engines).plus(ALLOWANCE);
    }

    /** Registers each engine as soon as it and the router are healthy: it need not wait for its slower siblings. */
    static List<CompletableFuture<?>> register(
            CompletableFuture<?> routerReady,
            List<CompletableFuture<?>> enginesReady,
            @Nullable ServerGroup servers,
            @Nullable RouterGroup router) {
        List<CompletableFuture<?>> registered = new ArrayList<>();
        if (servers != null && router != null) {
            List<Integer> ranks = servers.ranks();
            Duration timeout = RouterGroup.registrationTimeout(ranks.size());
            for (int i = 0; i < enginesReady.size(); i++) {
                int rank = ranks.get(i);
                registered.add(CompletableFuture.allOf(routerReady, enginesReady.get(i))
                        .thenCompose(both -> servers.on(rank).endpoints().toCompletableFuture())
                        .thenCompose(endpoints ->
                                router.registerServer(endpoints.get(0), timeout).toCompletableFuture()));
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

    /**
     * Waits until each has ended, well or not, or the time is over.
     *
     * @param cancelled ends the wait when it fails
     * @return why some did not end well, by their index
     */
    static Map<Integer, RuntimeException> awaitEach(
            List<CompletableFuture<?>> wanted, CompletableFuture<?> cancelled, Duration deadline) {
        List<CompletableFuture<?>> ended = new ArrayList<>();
        wanted.forEach(future -> ended.add(future.handle((value, failure) -> "ended")));
        CompletableFuture<?> all = CompletableFuture.allOf(ended.toArray(CompletableFuture<?>[]::new));
        try {
            CompletableFuture.anyOf(all, cancelled).get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LaunchException("the change was interrupted; what it had started is ended", e);
        } catch (TimeoutException e) {
            // Those that have not ended are late.
        } catch (ExecutionException e) {
            throw unchecked(e.getCause() == null ? e : e.getCause());
        }
        Map<Integer, RuntimeException> failures = new LinkedHashMap<>();
        for (int i = 0; i < wanted.size(); i++) {
            if (!wanted.get(i).isDone()) {
                failures.put(i, new LaunchException("it did not serve within " + deadline.toSeconds() + " s"));
            } else if (wanted.get(i).isCompletedExceptionally()) {
                failures.put(i, failure(wanted.get(i)));
            }
        }
        return failures;
    }

    private static RuntimeException failure(CompletableFuture<?> failed) {
        try {
            failed.join();
            throw new IllegalStateException("it has not failed");
        } catch (CompletionException e) {
            return unchecked(e);
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
