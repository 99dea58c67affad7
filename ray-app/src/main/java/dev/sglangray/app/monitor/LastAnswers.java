/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.monitor;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The last answer of each worker to one question that is asked again and again. A worker that is slow holds the others up for a moment
 * only, and its earlier answer holds for a while. Not thread-safe.
 *
 * @param <T> what they answer
 */
final class LastAnswers<T> {
    private final LongSupplier clock;
    private final Duration silence;
    private final Map<String, Open<T>> open = new HashMap<>();
    private final Map<String, T> last = new HashMap<>();

    private record Open<T>(CompletableFuture<T> answer, long since) {}

    /**
     * An answer.
     *
     * @param fresh whether it came since the last round
     */
    record Answer<T>(T value, boolean fresh) {}

    /**
     * Asks nothing yet.
     *
     * @param clock in nanoseconds
     * @param silence how long an earlier answer holds while the next one is awaited
     */
    LastAnswers(LongSupplier clock, Duration silence) {
        this.clock = clock;
        this.silence = silence;
    }

    /**
     * Asks all that have no open question, and forgets all others. One that has been open for the silence is asked again, and its worker has
     * no answer then.
     *
     * @param questions by the worker's name
     */
    void ask(Map<String, Supplier<CompletableFuture<T>>> questions) {
        open.keySet().retainAll(questions.keySet());
        last.keySet().retainAll(questions.keySet());
        questions.forEach((name, question) -> {
            Open<T> asked = open.get(name);
            if (asked == null || isOld(asked)) {
                if (asked != null) {
                    last.remove(name);
                }
                open.put(name, new Open<>(question.get(), clock.getAsLong()));
            }
        });
    }

    /**
     * The answers of those that have one.
     *
     * @param patience how long to wait for those that were asked
     * @throws InterruptedException when the wait is interrupted
     */
    Map<String, Answer<T>> answers(Duration patience) throws InterruptedException {
        await(patience);
        Set<String> fresh = new HashSet<>();
        open.entrySet().removeIf(asked -> {
            boolean done = asked.getValue().answer().isDone();
            if (done) {
                fresh.add(asked.getKey());
                take(asked.getKey(), asked.getValue().answer());
            }
            return done;
        });
        Map<String, Answer<T>> answers = new HashMap<>();
        last.forEach((name, value) -> answers.put(name, new Answer<>(value, fresh.contains(name))));
        return answers;
    }

    private boolean isOld(Open<T> asked) {
        return clock.getAsLong() - asked.since() > silence.toNanos();
    }

    private void await(Duration patience) throws InterruptedException {
        CompletableFuture<?>[] all = open.values().stream().map(Open::answer).toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(all).get(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // Seen one by one.
        }
    }

    private void take(String name, CompletableFuture<T> answer) {
        try {
            last.put(name, answer.join());
        } catch (CompletionException e) {
            last.remove(name);
        }
    }
}
