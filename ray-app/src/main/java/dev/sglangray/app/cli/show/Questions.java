/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.app.cli.show;

import dev.sglangray.workers.loop.EventLoop;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The same question to many workers, again and again. Each has one open question at most, so that one that does not answer holds the
 * others up once, and is not buried in questions. Not thread-safe.
 *
 * @param <T> what they answer
 */
public final class Questions<T> {
    private static final Duration ONCE = Duration.ofSeconds(20);
    /** A worker answers at once, or is away. */
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    /** Slow is not away: the node may be busy. */
    private static final Duration SILENCE = Duration.ofSeconds(10);

    private record Asked<T>(CompletableFuture<T> answer, long since) {}

    private final Consumer<String> say;
    private final Duration patience;
    private final Duration silence;
    private final LongSupplier clock;
    private final Map<String, Asked<T>> open = new LinkedHashMap<>();
    private final Set<String> known = new TreeSet<>();
    private final Set<String> away = new TreeSet<>();

    /**
     * Asks nothing yet.
     *
     * @param say gets a line when a worker no longer answers, and when it answers again
     * @param patience how long fresh questions are waited for
     * @param silence after this a worker does not answer
     */
    Questions(Consumer<String> say, Duration patience, Duration silence, LongSupplier clock) {
        this.say = say;
        this.patience = patience;
        this.silence = silence;
        this.clock = clock;
    }

    /** For one round of questions, in which every worker has its time. */
    public static <T> Questions<T> once(Consumer<String> say) {
        return new Questions<>(say, ONCE, Duration.ZERO, System::nanoTime);
    }

    /** For many rounds, in which a slow worker may answer in a later one. */
    public static <T> Questions<T> repeated(Consumer<String> say) {
        return new Questions<>(say, PATIENCE, SILENCE, System::nanoTime);
    }

    /**
     * Asks all that have no open question, and waits a moment for them.
     *
     * @param questions by the worker's name
     * @return the answers that came, also those to earlier questions
     */
    public Map<String, T> ask(Map<String, Supplier<CompletableFuture<T>>> questions) throws InterruptedException {
        known.stream().filter(name -> !questions.containsKey(name)).toList().forEach(name -> {
            // Its actor is gone; another may take its place, which the open question does not reach.
            open.remove(name);
            leave(name, "it is gone");
        });
        known.addAll(questions.keySet());
        Map<String, CompletableFuture<T>> fresh = new LinkedHashMap<>();
        questions.forEach((name, question) -> {
            if (!open.containsKey(name)) {
                CompletableFuture<T> answer = asked(question);
                open.put(name, new Asked<>(answer, clock.getAsLong()));
                fresh.put(name, answer);
            }
        });
        try {
            CompletableFuture.allOf(fresh.values().toArray(CompletableFuture<?>[]::new))
                    .get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // Seen below, one by one.
        }
        Map<String, T> answers = new LinkedHashMap<>();
        for (String name : questions.keySet()) {
            Asked<T> asked = open.get(name);
            if (asked == null) {
                continue;
            }
            if (asked.answer().isDone()) {
                open.remove(name);
                take(name, asked.answer(), answers);
            } else if (clock.getAsLong() - asked.since() > silence.toNanos()) {
                leave(name, "it does not answer");
            }
        }
        return answers;
    }

    private static <T> CompletableFuture<T> asked(Supplier<CompletableFuture<T>> question) {
        try {
            return question.get();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private void take(String name, CompletableFuture<T> answer, Map<String, T> answers) {
        try {
            answers.put(name, answer.join());
        } catch (CompletionException e) {
            leave(name, EventLoop.words(e));
            return;
        }
        if (away.remove(name)) {
            say.accept(name + " answers again");
        }
    }

    private void leave(String name, String why) {
        if (away.add(name)) {
            say.accept(name + " is away: " + why.lines().findFirst().orElse(""));
        }
    }
}
