/* SPDX-License-Identifier: Apache-2.0 */
package dev.sglangray.workers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sglangray.workers.loop.ManualLoop;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class OwnerWatchTest {
    private static final Duration LONGER = OwnerWatch.PATIENCE.plusSeconds(20);

    private final ManualLoop loop = new ManualLoop();
    private CompletableFuture<Boolean> answer = CompletableFuture.completedFuture(true);
    private int ended;

    OwnerWatchTest() {
        new OwnerWatch(loop, new OwnerWatch.Port() {
                    @Override
                    public CompletableFuture<Boolean> exists() {
                        return answer;
                    }

                    @Override
                    public void end() {
                        ended++;
                    }
                })
                .start();
    }

    @Test
    void aWorkerEndsOnceWhenItsOwnerIsGoneForGood() {
        loop.pass(LONGER);
        assertThat(ended).isZero();
        answer = CompletableFuture.completedFuture(false);
        loop.pass(OwnerWatch.PATIENCE.minusSeconds(1));
        assertThat(ended).as("Ray may be late").isZero();
        loop.pass(LONGER);
        assertThat(ended).isEqualTo(1);
    }

    @Test
    void anOwnerThatComesBackCountsFromTheStart() {
        answer = CompletableFuture.completedFuture(false);
        loop.pass(OwnerWatch.PATIENCE.minusSeconds(1));
        answer = CompletableFuture.completedFuture(true);
        loop.pass(Duration.ofSeconds(10));
        answer = CompletableFuture.completedFuture(false);
        loop.pass(OwnerWatch.PATIENCE.minusSeconds(1));
        assertThat(ended).isZero();
    }

    @Test
    void rayThatCannotSayEndsNothing() {
        answer = CompletableFuture.failedFuture(new IllegalStateException("Ray's GCS restarts"));
        loop.pass(Duration.ofMinutes(10));
        assertThat(ended).isZero();
        answer = new CompletableFuture<>();
        loop.pass(Duration.ofMinutes(10));
        answer.complete(false);
        loop.pass(Duration.ofSeconds(10));
        assertThat(ended).as("one answer is not enough").isZero();
    }
}
