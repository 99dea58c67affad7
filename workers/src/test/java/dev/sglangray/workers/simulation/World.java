/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.simulation;

import dev.sglangray.workers.loop.EventLoop;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Simulated time, the one scheduler, and a network that delays, reorders, repeats and loses messages. */
final class World {
    private static final Instant BEGIN = Instant.ofEpochSecond(1_000_000);

    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final SplittableRandom random;
    private final @Nullable List<String> trace;
    private long now;
    private long sequence;
    private boolean calm;
    private int steps;

    private record Event(long at, long sequence, Runnable task) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(sequence, other.sequence);
        }
    }

    World(long seed, boolean traced) {
        random = new SplittableRandom(seed);
        trace = traced ? new ArrayList<>() : null;
    }

    /** Microseconds since the beginning. */
    long micros() {
        return now;
    }

    int steps() {
        return steps;
    }

    List<String> trace() {
        return trace == null ? List.of() : trace;
    }

    void note(Supplier<String> what) {
        if (trace != null) {
            trace.add(String.format("%10.3f  %s", now / 1e6, what.get()));
        }
    }

    boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    /** Microseconds between two bounds. */
    long between(long from, long to) {
        return from + random.nextLong(Math.max(1, to - from));
    }

    /** From now on the network neither loses nor delays for long. */
    void calm() {
        calm = true;
    }

    boolean isCalm() {
        return calm;
    }

    void at(long time, Runnable task) {
        events.add(new Event(Math.max(now, time), sequence++, task));
    }

    void after(long micros, Runnable task) {
        at(now + micros, task);
    }

    /** Runs until a time; {@code check} runs after each step. */
    void run(long until, Runnable check) {
        while (!events.isEmpty() && events.peek().at() <= until) {
            Event event = events.poll();
            now = event.at();
            steps++;
            event.task().run();
            check.run();
        }
        now = Math.max(now, until);
    }

    /** How long a message takes: mostly a millisecond, in a storm sometimes seconds, also longer than its caller waits. */
    long delay() {
        if (calm || chance(0.9)) {
            return between(200, 3_000);
        }
        return chance(0.8) ? between(3_000, 400_000) : between(400_000, 14_000_000);
    }

    boolean loses() {
        return !calm && chance(0.03);
    }

    boolean repeats() {
        return !calm && chance(0.03);
    }

    /**
     * A call of a method in another process.
     *
     * @param alive whether the other process lives, asked when the call arrives
     * @param handler runs there
     */
    <T> CompletableFuture<T> call(
            Loop caller,
            Supplier<Boolean> alive,
            Supplier<CompletableFuture<T>> handler,
            Duration patience,
            boolean repeatable) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        int copies = repeatable && repeats() ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            if (loses()) {
                continue;
            }
            after(delay(), () -> {
                if (!alive.get()) {
                    after(
                            delay(),
                            () -> caller.execute(() ->
                                    answer.completeExceptionally(new IllegalStateException("the process is gone"))));
                    return;
                }
                CompletableFuture<T> unused = attempt(handler).whenComplete((value, failure) -> {
                    if (loses()) {
                        return;
                    }
                    after(
                            delay(),
                            () -> caller.execute(() -> {
                                if (failure == null) {
                                    answer.complete(value);
                                } else {
                                    answer.completeExceptionally(EventLoop.unwrapped(failure));
                                }
                            }));
                });
            });
        }
        caller.schedule(patience, () -> answer.completeExceptionally(new IllegalStateException("no answer in time")));
        return answer;
    }

    private static <T> CompletableFuture<T> attempt(Supplier<CompletableFuture<T>> handler) {
        try {
            return handler.get();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** The event loop of one process; nothing runs on it after the process has died. */
    final class Loop implements EventLoop {
        private boolean dead;
        private long last;

        @Override
        public Instant now() {
            return BEGIN.plusNanos(now * 1000);
        }

        @Override
        public void execute(Runnable task) {
            // In order, and some time later.
            last = Math.max(last, now + (chance(0.2) ? between(0, 500) : 0));
            at(last, guarded(task));
        }

        @Override
        public Timer schedule(Duration delay, Runnable task) {
            boolean[] cancelled = {false};
            World.this.after(Math.max(0, (delay.toNanos() + 999) / 1000), guarded(() -> {
                if (!cancelled[0]) {
                    task.run();
                }
            }));
            return () -> cancelled[0] = true;
        }

        private Runnable guarded(Runnable task) {
            return () -> {
                if (!dead) {
                    task.run();
                }
            };
        }

        boolean isAlive() {
            return !dead;
        }

        void kill() {
            dead = true;
        }
    }
}
