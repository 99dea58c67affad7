/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;

/** An event loop for tests: its time stands still, and its tasks run only when a test lets time pass. */
public final class ManualLoop implements EventLoop {
    private final PriorityQueue<Task> tasks = new PriorityQueue<>();
    private Instant now = Instant.parse("2026-01-01T00:00:00Z");
    private long order;

    private record Task(Instant at, long order, Runnable task) implements Comparable<Task> {
        @Override
        public int compareTo(Task other) {
            int byTime = at.compareTo(other.at);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }

    @Override
    public Instant now() {
        return now;
    }

    @Override
    public void execute(Runnable task) {
        tasks.add(new Task(now, order++, task));
    }

    @Override
    public Timer schedule(Duration delay, Runnable task) {
        Task timed = new Task(now.plus(delay), order++, task);
        tasks.add(timed);
        return () -> tasks.remove(timed);
    }

    /** The work of a task: time that passes while it runs. */
    public void take(Duration work) {
        now = now.plus(work);
    }

    /** Runs what is due by now, and what follows from it. */
    public void run() {
        pass(Duration.ZERO);
    }

    /** Lets time pass, and runs each task at its time. */
    public void pass(Duration time) {
        Instant until = now.plus(time);
        for (Task next = tasks.peek(); next != null && !next.at().isAfter(until); next = tasks.peek()) {
            tasks.remove(next);
            now = next.at().isAfter(now) ? next.at() : now;
            next.task().run();
        }
        now = until.isAfter(now) ? until : now;
    }

    /** The value of a future that must be complete once all tasks that are due have run. */
    public <T> T value(CompletableFuture<T> future) {
        run();
        assertThat(future).isCompleted();
        return future.join();
    }

    /** The words of a future that must have failed once all tasks that are due have run. */
    public String words(CompletableFuture<?> future) {
        run();
        assertThat(future).isCompletedExceptionally();
        return EventLoop.words(Objects.requireNonNull(catchThrowable(future::join)));
    }
}
