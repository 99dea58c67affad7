/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import io.ray.api.ActorHandle;
import io.ray.api.Ray;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows when a server worker's process or node dies: a call that waits there fails within milliseconds, or seconds for a
 * node, long before Ray has replaced it. One pending call for each engine, and no polling. Safe for use by many threads.
 */
final class EngineWatch {
    private static final Logger LOG = LoggerFactory.getLogger(EngineWatch.class);

    private final Executor executor;
    private final Consumer<String> onDeath;
    private final Set<String> watched = ConcurrentHashMap.newKeySet();
    private volatile boolean closed;

    /**
     * Watches nobody yet.
     *
     * @param executor runs what may block
     * @param onDeath takes the actor's name
     */
    EngineWatch(Executor executor, Consumer<String> onDeath) {
        this.executor = executor;
        this.onDeath = onDeath;
    }

    /** Watches an actor until it dies or ends; harmless when repeated. */
    void watch(String actor) {
        if (!closed && watched.add(actor)) {
            executor.execute(() -> look(actor));
        }
    }

    private void look(String actor) {
        try {
            Optional<ActorHandle<SGLangServerWorker>> found = Ray.getActor(actor);
            if (closed || found.isEmpty()) {
                watched.remove(actor);
                return;
            }
            var unused = RefWaiter.shared()
                    .watch(found.get().task(SGLangServerWorker::watch).remote())
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
