/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.registry;

import dev.sglangray.workers.loop.Backoff;
import dev.sglangray.workers.loop.EventLoop;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Notices that one engine is dead before its worker can say so, or without it. Two signs make it look: an idle connection to the
 * engine ends, which takes milliseconds, and Ray reports the death of the worker's process, which takes seconds. The engine is
 * suspected when nothing listens at its URL any more, or its worker has died. A check that fails, or cannot know, as when a network
 * is cut, suspects nothing and is repeated. For use on the registry's event loop only.
 */
final class EngineMonitor {
    private static final Duration FIRST_RETRY = Duration.ofMillis(500);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(10);
    /** A server that ends idle connections sooner than this is watched by new ones now and then. */
    private static final Duration SHORT_LIVED = Duration.ofSeconds(2);

    private final EventLoop loop;
    private final WorkersPort workers;
    private final String actor;
    private final String url;
    private final Consumer<String> suspected;
    private final Backoff connectionRetries = new Backoff(FIRST_RETRY, LONGEST_RETRY);
    private final Backoff deathRetries = new Backoff(FIRST_RETRY, LONGEST_RETRY);
    private boolean ended;

    /** Watches from now on; {@code suspected} takes what was found, once. */
    EngineMonitor(EventLoop loop, WorkersPort workers, String actor, String url, Consumer<String> suspected) {
        this.loop = loop;
        this.workers = workers;
        this.actor = actor;
        this.url = url;
        this.suspected = suspected;
    }

    void start() {
        watchConnection();
        watchWorker();
    }

    private interface Check<T> {
        CompletableFuture<T> begin();
    }

    /** Whatever is thrown is a failed check, which ends no watch. */
    private static <T> CompletableFuture<T> attempt(Check<T> check) {
        try {
            return check.begin();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void watchConnection() {
        if (ended) {
            return;
        }
        Instant since = loop.now();
        CompletableFuture<Void> unused = attempt(() -> workers.awaitDisconnect(url))
                .handle((nothing, failure) -> {
                    checkPort(since);
                    return null;
                });
    }

    private void checkPort(Instant since) {
        if (ended) {
            return;
        }
        CompletableFuture<Void> unused = attempt(() -> workers.isRefused(url)).handle((refused, failure) -> {
            if (ended) {
                return null;
            }
            if (failure == null && refused) {
                suspect("nothing listens at " + url + " any more");
                return null;
            }
            if (failure == null && !loop.now().isBefore(since.plus(SHORT_LIVED))) {
                connectionRetries.reset();
            }
            loop.schedule(connectionRetries.next(), this::watchConnection);
            return null;
        });
    }

    private void watchWorker() {
        if (ended) {
            return;
        }
        CompletableFuture<Void> unused = attempt(() -> workers.awaitDeath(actor))
                .handle((how, failure) -> {
                    if (ended) {
                        return null;
                    }
                    if (failure == null) {
                        suspect("its worker " + actor + " died: " + how);
                    } else {
                        // It is not known whether the worker died: Ray itself may be restarting.
                        loop.schedule(deathRetries.next(), this::watchWorker);
                    }
                    return null;
                });
    }

    private void suspect(String why) {
        ended = true;
        suspected.accept(why);
    }

    /** Watches no more. */
    void end() {
        ended = true;
    }
}
