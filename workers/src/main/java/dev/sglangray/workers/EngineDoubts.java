/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Engines that get no requests because they seemed dead from here, as also one does whose network was cut. Their workers know
 * better: they are asked to tell anew how their engines stand, until they do. Safe for use by many threads.
 */
final class EngineDoubts {
    private static final Duration LONGEST = Duration.ofSeconds(30);

    private final ScheduledExecutorService timer;
    private final Function<String, Optional<CompletableFuture<Boolean>>> ask;
    private final Predicate<String> suspended;
    private final Duration first;

    /**
     * Doubts nobody yet.
     *
     * @param timer runs what does not block
     * @param ask asks an actor to tell anew; fails when it is not there at the moment, and is empty when it is gone for good
     * @param suspended whether the server of a URL still gets no requests
     * @param first how long to wait before the first question, above 0; doubled from one to the next
     */
    EngineDoubts(
            ScheduledExecutorService timer,
            Function<String, Optional<CompletableFuture<Boolean>>> ask,
            Predicate<String> suspended,
            Duration first) {
        this.timer = timer;
        this.ask = ask;
        this.suspended = suspended;
        this.first = first;
    }

    /** A server was suspended although its worker had not said so. */
    void add(String actor, String url) {
        later(actor, url, first);
    }

    private void later(String actor, String url, Duration wait) {
        try {
            var unused = timer.schedule(() -> question(actor, url, wait), wait.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // The router is being ended.
        }
    }

    private void question(String actor, String url, Duration waited) {
        if (!suspended.test(url)) {
            return;
        }
        Duration doubled = waited.multipliedBy(2);
        Duration next = doubled.compareTo(LONGEST) < 0 ? doubled : LONGEST;
        var unused = ask.apply(actor)
                .map(answer -> answer.whenComplete((told, failure) -> {
                    if (failure != null) {
                        later(actor, url, next);
                    }
                }));
    }
}
