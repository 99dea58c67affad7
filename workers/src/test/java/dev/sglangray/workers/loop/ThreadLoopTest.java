/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The real loop: one thread decides, others block. */
class ThreadLoopTest {
    private static final long LONG = 20;

    private final ThreadLoop loop = new ThreadLoop("under-test", InstantSource.system());

    @AfterEach
    void end() {
        loop.close();
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(LONG, TimeUnit.SECONDS);
    }

    private String threadOf(CompletableFuture<?> future) throws Exception {
        return get(loop.ask(
                () -> future.handle((value, failure) -> Thread.currentThread().getName())));
    }

    @Test
    void tasksRunInOrderOnOneThread() throws Exception {
        List<String> ran = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 100; i++) {
            String number = String.valueOf(i);
            loop.execute(() -> ran.add(number + " " + Thread.currentThread().getName()));
        }
        assertThat(get(loop.ask(() -> CompletableFuture.completedFuture(ran.size()))))
                .isEqualTo(100);
        assertThat(ran).first().isEqualTo("0 loop-under-test");
        assertThat(ran).last().isEqualTo("99 loop-under-test");
    }

    @Test
    void aTaskThatThrowsEndsOnlyItself() throws Exception {
        loop.execute(() -> {
            throw new AssertionError("an error, not only an exception");
        });
        assertThat(get(loop.ask(() -> CompletableFuture.completedFuture("alive"))))
                .isEqualTo("alive");
    }

    @Test
    void aQuestionThatThrowsIsAnsweredWithTheFailure() {
        CompletableFuture<String> answer = loop.ask(() -> {
            throw new IllegalStateException("no");
        });
        assertThatThrownBy(() -> get(answer)).hasMessageContaining("no");
    }

    @Test
    void whatBlocksDoesSoElsewhereAndCompletesOnTheLoop() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        CompletableFuture<String> blocked = loop.block(() -> {
            try {
                release.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return Thread.currentThread().getName();
        });
        assertThat(get(loop.ask(() -> CompletableFuture.completedFuture(1))))
                .as("the loop is free meanwhile")
                .isOne();
        CompletableFuture<String> where =
                blocked.thenApply(name -> Thread.currentThread().getName());
        release.countDown();
        // In this order: a thread that waits for a future may run what hangs on it.
        assertThat(get(where)).isEqualTo("loop-under-test");
        assertThat(get(blocked)).isEqualTo("act-under-test");
        CompletableFuture<String> failed = loop.block(() -> {
            throw new AssertionError("whatever it is");
        });
        assertThatThrownBy(() -> get(failed)).hasMessageContaining("whatever it is");
        assertThat(threadOf(failed)).isEqualTo("loop-under-test");
    }

    @Test
    void aFutureOfAnotherThreadCompletesHere() throws Exception {
        CompletableFuture<String> elsewhere = new CompletableFuture<>();
        CompletableFuture<String> where = loop.here(elsewhere)
                .thenApply(value -> value + Thread.currentThread().getName());
        elsewhere.complete("on ");
        assertThat(get(where)).isEqualTo("on loop-under-test");
    }

    @Test
    void aTimerNeverFiresBeforeItsTimeByTheClock() throws Exception {
        var begin = loop.now();
        CompletableFuture<Duration> waited = new CompletableFuture<>();
        loop.schedule(Duration.ofMillis(20), () -> waited.complete(Duration.between(begin, loop.now())));
        assertThat(get(waited)).isGreaterThanOrEqualTo(Duration.ofMillis(20));
    }

    @Test
    void aCancelledTimerDoesNotFire() throws Exception {
        List<String> ran = new CopyOnWriteArrayList<>();
        loop.schedule(Duration.ofMillis(10), () -> ran.add("cancelled")).cancel();
        CompletableFuture<String> later = new CompletableFuture<>();
        loop.schedule(Duration.ofMillis(20), () -> later.complete("later"));
        assertThat(get(later)).isEqualTo("later");
        assertThat(ran).isEmpty();
    }

    @Test
    void afterItsEndItInterruptsWhatBlocksAndRunsNothing() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch interrupted = new CountDownLatch(1);
        CompletableFuture<Boolean> unused = loop.block(() -> {
            begun.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
            return true;
        });
        assertThat(begun.await(LONG, TimeUnit.SECONDS)).isTrue();
        loop.close();
        assertThat(interrupted.await(LONG, TimeUnit.SECONDS)).isTrue();
        List<String> ran = new CopyOnWriteArrayList<>();
        loop.execute(() -> ran.add("too late"));
        loop.schedule(Duration.ZERO, () -> ran.add("too late")).cancel();
        assertThatThrownBy(() -> get(loop.ask(() -> CompletableFuture.completedFuture(1))))
                .hasMessageContaining("the worker has ended");
        assertThat(ran).isEmpty();
    }
}
