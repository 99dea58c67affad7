/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import io.ray.api.ActorHandle;
import io.ray.api.Ray;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows when a server worker's process or node dies: a call that waits there fails within milliseconds, or seconds for a
 * node, long before Ray has replaced it. One pending call for each engine, and no polling. Safe for use by many threads.
 */
final class EngineWatch {
    private static final Logger LOG = LoggerFactory.getLogger(EngineWatch.class);

    private final Executor executor;
    private final Function<String, Optional<CompletableFuture<String>>> waiting;
    private final Consumer<String> onDeath;
    private final Set<String> watched = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /**
     * Watches nobody yet.
     *
     * @param executor runs what may block
     * @param waiting an answer of the actor of a name that comes late and fails when it dies; empty when there is no such actor
     * @param onDeath takes the actor's name
     */
    EngineWatch(
            Executor executor,
            Function<String, Optional<CompletableFuture<String>>> waiting,
            Consumer<String> onDeath) {
        this.executor = executor;
        this.waiting = waiting;
        this.onDeath = onDeath;
    }

    /** The {@code waiting} of actors of Ray. */
    static Optional<CompletableFuture<String>> ask(String actor) {
        Optional<ActorHandle<SGLangServerWorker>> found = Ray.getActor(actor);
        return found.map(worker ->
                RefWaiter.shared().watch(worker.task(SGLangServerWorker::watch).remote()));
    }

    /** Watches an actor until it dies or ends; harmless when repeated. */
    void watch(String actor) {
        if (!closed && watched.add(actor)) {
            executor.execute(() -> look(actor));
        }
    }

    private void look(String actor) {
        try {
            Optional<CompletableFuture<String>> late = closed ? Optional.empty() : waiting.apply(actor);
            if (late.isEmpty()) {
                watched.remove(actor);
                return;
            }
            var unused = late.get()
                    .whenComplete((answer, failure) -> executor.execute(() -> answered(actor, answer, failure)));
        } catch (RuntimeException e) {
            watched.remove(actor);
            LOG.warn("Cannot watch {}: {}", actor, e.toString());
        }
    }

    private void answered(String actor, String answer, Throwable failure) {
        if (failure == null && "alive".equals(answer)) {
            look(actor);
            return;
        }
        watched.remove(actor);
        if (failure != null && !closed) {
            LOG.warn("{} died: {}", actor, failure.toString());
            onDeath.accept(actor);
        }
    }

    void close() {
        closed = true;
    }
}
