/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WorkerGroupFutureTest {
    private final CompletableFuture<String> first = new CompletableFuture<>();
    private final CompletableFuture<String> second = new CompletableFuture<>();
    private final WorkerGroupFuture<String> both =
            new WorkerGroupFuture<>("engines", "initServer", List.of(0, 1), List.of(first, second));

    @Test
    void answersComeInRankOrderHoweverTheyArrive() {
        second.complete("b");
        assertThat(both.isDone()).isFalse();
        first.complete("a");

        assertThat(both.await()).containsExactly("a", "b");
        assertThat(both.awaitSingle()).isEqualTo("a");
        assertThat(both.map(String::toUpperCase).await(Duration.ofSeconds(1))).containsExactly("A", "B");
    }

    @Test
    void theFirstFailureWinsAtOnceAndLaterOnesAreSuppressedUnderIt() {
        WorkerException early = failure(1, "no memory");
        WorkerException late = failure(0, "no disk");
        WorkerGroupFuture<Integer> mapped = both.map(String::length);
        second.completeExceptionally(early);

        assertThat(both.isDone()).isTrue();
        first.completeExceptionally(late);
        assertThatThrownBy(both::await)
                .isSameAs(early)
                .hasMessage("engines rank 1 on node 10.0.0.1: initServer failed: no memory")
                .satisfies(e -> assertThat(e.getSuppressed()).contains(late));
        assertThatThrownBy(mapped::await).isSameAs(early);
    }

    @Test
    void aTimeoutNamesTheMissingAndCancelsNothing() {
        first.complete("a");

        assertThatThrownBy(() -> both.await(Duration.ofMillis(20)))
                .isInstanceOf(WorkerTimeoutException.class)
                .hasMessageContaining("engines: initServer failed: no answer from rank(s) [1] within 0.02 s")
                .satisfies(
                        e -> assertThat(((WorkerTimeoutException) e).missing()).containsExactly(1));
        second.complete("b");
        assertThat(both.await(Duration.ofSeconds(1))).containsExactly("a", "b");
    }

    @Test
    void anInterruptIsReportedAndKept() {
        Thread.currentThread().interrupt();

        assertThatThrownBy(both::await).isInstanceOf(WorkerInterruptedException.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void nobodyCanCompleteItFromOutside() throws Exception {
        both.toCompletableFuture().cancel(true);
        first.complete("a");
        second.complete("b");

        assertThat(both.toCompletableFuture().get(1, TimeUnit.SECONDS)).containsExactly("a", "b");
    }

    private static WorkerException failure(int rank, String reason) {
        return new WorkerException("engines", rank, "10.0.0.1", "initServer", reason, null);
    }
}
