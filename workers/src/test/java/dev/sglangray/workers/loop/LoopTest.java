/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

/** Turns, waits and deadlines, on a loop whose time stands still. */
class LoopTest {
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final ManualLoop loop = new ManualLoop();
    private final ChangeQueue turns =
            new ChangeQueue(loop, (what, why) -> new IllegalStateException(what + ": " + why));
    private final ConditionWaits waiters = new ConditionWaits(loop);
    private final List<String> done = new ArrayList<>();
    private boolean holds;

    private CompletableFuture<String> change(String name, Duration longest, CompletableFuture<String> work) {
        return turns.alone(name, longest, deadline -> {
            done.add(name + " has " + deadline.text());
            return work;
        });
    }

    @Test
    void changesHaveTheirTurnsInOrder() {
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> second = new CompletableFuture<>();
        CompletableFuture<String> a = change("a", SECOND, first);
        CompletableFuture<String> b = change("b", MINUTE, second);
        CompletableFuture<String> c = change("c", MINUTE, CompletableFuture.completedFuture("3"));
        assertThat(done).containsExactly("a has 1 s");
        assertThat(turns.isTaken()).isTrue();
        first.complete("1");
        assertThat(loop.value(a)).isEqualTo("1");
        assertThat(done).containsExactly("a has 1 s", "b has 60 s");
        second.complete("2");
        assertThat(loop.value(b)).isEqualTo("2");
        assertThat(loop.value(c)).isEqualTo("3");
        assertThat(turns.isTaken()).isFalse();
    }

    @Test
    void aChangeThatGetsNoTurnInTimeIsToldWhatWasUnderWay() {
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> a = change("a", MINUTE, first);
        CompletableFuture<String> b = change("b", SECOND, CompletableFuture.completedFuture("2"));
        CompletableFuture<String> c = change("c", MINUTE, CompletableFuture.completedFuture("3"));
        loop.pass(SECOND);
        assertThat(loop.words(b)).isEqualTo("b: a was still under way after 1 s");
        first.complete("1");
        assertThat(loop.value(a)).isEqualTo("1");
        assertThat(loop.value(c)).isEqualTo("3");
        assertThat(done).containsExactly("a has 60 s", "c has 60 s");
    }

    @Test
    void aChangeThatFailsOrThrowsGivesItsTurnBack() {
        CompletableFuture<String> thrown = turns.alone("a", SECOND, deadline -> {
            throw new IllegalStateException("no");
        });
        CompletableFuture<String> failed =
                change("b", SECOND, CompletableFuture.failedFuture(new IllegalStateException("not at all")));
        assertThat(loop.words(thrown)).isEqualTo("no");
        assertThat(loop.words(failed)).isEqualTo("not at all");
        assertThat(turns.isTaken()).isFalse();
    }

    @Test
    void theTimeOfAChangeIncludesItsWait() {
        CompletableFuture<String> first = new CompletableFuture<>();
        CompletableFuture<String> a = change("a", MINUTE, first);
        CompletableFuture<Duration> left =
                turns.alone("b", MINUTE, deadline -> CompletableFuture.completedFuture(deadline.left()));
        loop.pass(Duration.ofSeconds(50));
        first.complete("");
        assertThat(loop.value(a)).isEmpty();
        assertThat(loop.value(left)).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void aWaitEndsWithItsCondition() {
        CompletableFuture<Boolean> wait = waiters.until(() -> holds, SECOND);
        waiters.changed();
        assertThat(wait).isNotDone();
        holds = true;
        waiters.changed();
        assertThat(loop.value(wait)).isTrue();
        assertThat(loop.value(waiters.until(() -> holds, SECOND))).as("at once").isTrue();
    }

    @Test
    void aWaitEndsWithItsTime() {
        CompletableFuture<Boolean> wait = waiters.until(() -> holds, SECOND);
        loop.pass(SECOND.minusMillis(1));
        assertThat(wait).isNotDone();
        loop.pass(Duration.ofMillis(1));
        assertThat(loop.value(wait)).isFalse();
    }

    @Test
    void whatFollowsAWaitMayWaitAgain() {
        CompletableFuture<Boolean> both = waiters.until(() -> holds, SECOND).thenCompose(first -> {
            holds = false;
            return waiters.until(() -> holds, SECOND);
        });
        holds = true;
        waiters.changed();
        assertThat(both).isNotDone();
        holds = true;
        waiters.changed();
        assertThat(loop.value(both)).isTrue();
    }

    @Test
    void aBackoffDoublesUpToItsLongestAndBeginsAgain() {
        Backoff backoff = new Backoff(SECOND, Duration.ofSeconds(3));
        assertThat(backoff.isFresh()).isTrue();
        List<Duration> waits = List.of(backoff.next(), backoff.next(), backoff.next(), backoff.next());
        assertThat(waits).extracting(Duration::toSeconds).containsExactly(1L, 2L, 3L, 3L);
        assertThat(backoff.isFresh()).isFalse();
        backoff.reset();
        assertThat(backoff.isFresh()).isTrue();
        assertThat(backoff.next()).isEqualTo(SECOND);
    }

    @Test
    void aFutureThatComesInTimeKeepsItsValueOrFailure() {
        CompletableFuture<String> future = new CompletableFuture<>();
        CompletableFuture<String> bounded = loop.within(SECOND, future, () -> new IllegalStateException("late"));
        future.complete("there");
        loop.pass(MINUTE);
        assertThat(loop.value(bounded)).isEqualTo("there");
        CompletableFuture<String> failed = CompletableFuture.failedFuture(
                new CompletionException(new CompletionException(new IllegalStateException("no"))));
        assertThat(loop.words(loop.within(SECOND, failed, () -> new IllegalStateException("late"))))
                .isEqualTo("no");
    }

    @Test
    void aFutureThatDoesNotComeFailsAtItsTime() {
        CompletableFuture<String> bounded =
                loop.within(SECOND, new CompletableFuture<>(), () -> new IllegalStateException("late"));
        loop.pass(SECOND);
        assertThat(loop.words(bounded)).isEqualTo("late");
    }

    @Test
    void aFailureWithoutWordsHasThoseOfItsClass() {
        assertThat(EventLoop.words(new CompletionException(new IllegalStateException())))
                .isEqualTo("java.lang.IllegalStateException");
    }

    @Test
    void aDeadlineTellsWhatIsLeft() {
        Deadline deadline = Deadline.in(loop, Duration.ofMillis(1500));
        assertThat(deadline.text()).isEqualTo("1.5 s");
        loop.pass(SECOND);
        assertThat(deadline.left()).isEqualTo(Duration.ofMillis(500));
        assertThat(deadline.isOver()).isFalse();
        loop.pass(SECOND);
        assertThat(deadline.left()).isEqualTo(Duration.ZERO);
        assertThat(deadline.isOver()).isTrue();
    }
}
